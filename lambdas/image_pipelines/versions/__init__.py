"""Versions: the version that new content gets at deployment."""
