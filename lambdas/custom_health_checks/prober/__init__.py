"""Prober: asks an HTTP endpoint on an instance, from inside the VPC; it has no rights in AWS."""
