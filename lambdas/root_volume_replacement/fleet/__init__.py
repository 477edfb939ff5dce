"""Fleet: many replacements in waves, which end with the first wave that has a failure."""
