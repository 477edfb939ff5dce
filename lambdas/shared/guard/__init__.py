"""Guard: stops an update of a stack that would destroy or replace what must stay."""
