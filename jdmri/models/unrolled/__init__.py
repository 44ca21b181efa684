"""Networks from k-space to a cine."""
