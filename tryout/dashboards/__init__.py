"""Dashboards as a browser would read them, and how they are kept for pictures."""
