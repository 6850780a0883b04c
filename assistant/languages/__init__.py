"""One folder per language; everything a language needs is in it."""
