"""Whether actions, resource types and condition keys exist and fit, and dependent actions are granted."""
