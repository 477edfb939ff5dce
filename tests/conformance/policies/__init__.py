"""How IAM decides, and what a template's references stand for."""
