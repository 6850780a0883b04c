"""Parts of ``scripts/benchmark_asr.py``: recognisers, what they are asked, and how answers are judged."""
