"""What must exist before an instance boots, outlive it, and be silent at rest."""
