"""What EC2 knows of Outposts racks: local gateways, and addresses that the customer owns."""
