"""Prices and promotions: what a cart costs this household at this moment. Pure but for the file and the tables."""
