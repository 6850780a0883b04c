"""Parts of ``scripts/benchmark_store.py``: clients that buy, failures that befall them, and the audit afterwards."""
