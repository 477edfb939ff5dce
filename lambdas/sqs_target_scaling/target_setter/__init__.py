"""Target-Setter: how much work may wait for each instance, from what messages really took."""
