"""The dashboards follow the stored file, and tell the best hours."""
