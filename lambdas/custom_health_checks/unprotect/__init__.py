"""Unprotect: takes scale-in protection away before a stack is deleted, which would wait for ever otherwise."""
