"""Whether every event pattern and every metric exists."""
