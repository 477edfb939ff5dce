"""Metric-Publisher: how much work waits for each instance, every minute."""
