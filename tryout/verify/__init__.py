"""``make verify``: the scenario of a solution in a real account: cost first, destroyed afterwards."""
