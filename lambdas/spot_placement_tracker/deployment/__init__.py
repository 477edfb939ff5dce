"""What a deployment does: it stores the file, and takes everything away at the end."""
