"""Subnet-Zones: in which zone each subnet of an existing network is, so that capacity is reserved in the same."""
