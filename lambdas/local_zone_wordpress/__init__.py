"""Local Zone WordPress: the function of its stack."""
