"""Whether every delivery between services is allowed, kind by kind."""
