"""Understanding: from a hypothesis to an intent with items."""
