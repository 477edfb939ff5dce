"""The daily look at the account."""
