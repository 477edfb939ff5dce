"""What ``python -m stacks root_volume_replacement`` can do."""
