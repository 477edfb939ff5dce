"""Notices: what happens when EC2 says that it wants a Spot Instance back, or may soon."""
