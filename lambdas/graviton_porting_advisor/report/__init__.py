"""Report: tells of each scan once, and measures it."""
