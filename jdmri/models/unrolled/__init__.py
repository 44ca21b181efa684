"""Networks from k-space to a cine: rounds of a denoiser and a return to the data."""
