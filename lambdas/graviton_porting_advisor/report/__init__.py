"""Report: sends one notification for each scan, and publishes its metrics."""
