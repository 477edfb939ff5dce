"""Snapshot: a new root volume of an opted-in instance gets one, to which it can be restored."""
