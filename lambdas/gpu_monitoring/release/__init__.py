"""Release: takes the instance profile off the instances before it is deleted."""
