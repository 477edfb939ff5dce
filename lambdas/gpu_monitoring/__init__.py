"""Optimizing GPU utilization for AI/ML workloads on Amazon EC2: what is wasted, who is silent, who has no profile."""
