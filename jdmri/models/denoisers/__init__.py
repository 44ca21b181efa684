"""Networks from a cine to a cine; each file registers its own."""
