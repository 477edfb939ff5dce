"""Android games on G5g: whether nobody plays, so that the instance may stop."""
