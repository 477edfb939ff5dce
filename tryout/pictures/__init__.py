"""Pictures of CloudWatch dashboards: kept while a stack is up, with their metrics, and drawn by this repository."""
