"""What an account runs on, by instance type: the domain of the scheduled look, of the report and of the policy."""
