"""One run of scenarios: what is planned, in which lanes, how far it is, and what is kept of it."""
