"""The collector: asks EC2 for the scores, and publishes them."""
