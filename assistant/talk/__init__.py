"""Talking: the dialogue, a pure state machine."""
