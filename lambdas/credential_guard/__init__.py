"""Enabling Credential Guard on EC2: who runs it, who does not, who says nothing."""
