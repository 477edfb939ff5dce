"""Replacement: the steps of one replacement, from the note of the old volume to the report."""
