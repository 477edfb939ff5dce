"""Demand-Publisher: how much of its instances a queue needs, every minute."""
