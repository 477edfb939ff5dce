"""Refresh: reads the account and writes the dashboards."""
