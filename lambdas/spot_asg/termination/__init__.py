"""Termination: lets an instance go that has had its time to leave."""
