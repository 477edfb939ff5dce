"""Attach: gives the instance profile to tagged instances that have none."""
