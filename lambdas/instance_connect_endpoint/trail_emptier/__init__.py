"""Trail-Emptier: empties the bucket of a trail that is being removed, so that the bucket can go too."""
