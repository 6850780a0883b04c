"""Hearing: audio sources, voice activity, wake phrase, recognition."""
