"""The scheduled look at every Region of the account."""
