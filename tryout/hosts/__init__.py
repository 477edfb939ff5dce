"""What stands for an instance: its user data, its metadata service, its processes, and a group of them."""
