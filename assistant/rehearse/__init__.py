"""Rehearsals: simulated shoppers who talk to the real device as audio, scenarios, and their report."""
