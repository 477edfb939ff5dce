"""The AWS that a stack was deployed to: what it holds, says and denies."""
