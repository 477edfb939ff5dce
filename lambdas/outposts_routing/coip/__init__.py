"""Coip: customer-owned addresses as resources of a stack: pool, range, subnet, Elastic IP and load balancer."""
