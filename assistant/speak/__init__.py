"""Speaking: synthesis and playback."""
