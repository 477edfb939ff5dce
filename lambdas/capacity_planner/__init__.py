"""What to pay for capacity that must be there: workloads, prices, options, and what the account has."""
