"""Parts of ``scripts/benchmark_voiceprint.py``: groups of trials, what an engine costs, the report."""
