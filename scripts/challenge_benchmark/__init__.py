"""Parts of the benchmark of replayed challenges."""
