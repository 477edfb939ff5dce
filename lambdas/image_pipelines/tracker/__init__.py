"""Tracker: the newest image of each pipeline in each Region."""
