"""Android games on G5g: decides whether an idle instance may stop."""
