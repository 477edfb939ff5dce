"""Handover: takes the VPCs and the virtual interfaces from the old route table before the new one gets them."""
