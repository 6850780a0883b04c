"""Paying: voiceprint, challenge, payment authority, wallet."""
