"""Observers of the event stream: JSON lines, the terminal's conversation view, log lines, latencies."""
