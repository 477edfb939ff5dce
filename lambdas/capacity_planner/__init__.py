"""Compares ways to pay for capacity: workloads, prices, options, and what the account has."""
