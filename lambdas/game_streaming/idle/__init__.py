"""Idle: stops the instance when no game has run for a while."""
