"""Emptier: empties a bucket when its stack is destroyed."""
