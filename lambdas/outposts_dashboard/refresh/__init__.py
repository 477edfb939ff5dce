"""Refresh: looks at the account and writes the dashboards."""
