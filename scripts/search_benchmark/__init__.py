"""What ``benchmark_search.py`` is made of: believable products, queries as they are heard, engines, the report."""
