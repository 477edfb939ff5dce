"""What an account's instances run on, by type: shared by the scheduled look, the report and the policy."""
