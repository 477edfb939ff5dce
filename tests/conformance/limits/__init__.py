"""Sizes and quotas that a template can hit, at the largest legal settings."""
