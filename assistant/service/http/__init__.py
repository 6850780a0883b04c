"""The shop as an HTTP service, for many speakers: catalog, stock, orders and addresses of one household each."""
