"""What instances are reached by: gateways, Instance Connect Endpoints, Local Zones."""
