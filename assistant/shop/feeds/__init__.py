"""Catalog feeds in other shops' formats: each module reads one of them into the fields of the native feed."""
