"""Fleet: counts utilisation and waste of the tagged instances, and who is idle or silent."""
