"""EC2 Image Builder pipelines that cascade from a gold image."""
