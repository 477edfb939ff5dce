"""What IAM was asked of the roles of a trial, kept for `make mutate`."""
