"""Code that the functions of two or more solutions use."""
