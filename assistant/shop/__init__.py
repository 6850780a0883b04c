"""The shop: money, catalog, cart, orders."""
