"""The functions of instance_connect_endpoint."""
