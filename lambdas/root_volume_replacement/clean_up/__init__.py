"""Clean-up: what this solution has left behind, and nothing else."""
