"""Faults that are put into deliveries, small templates of kinds to come, and that each is caught."""
