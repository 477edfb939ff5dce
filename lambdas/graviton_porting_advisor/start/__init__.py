"""Start: one build for each source."""
