"""Credential Guard on EC2: which hosts run it, which do not, and which are silent."""
