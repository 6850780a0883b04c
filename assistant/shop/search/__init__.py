"""Search built for speech: candidates from an index on disk by words and sounds, the best of them first."""
