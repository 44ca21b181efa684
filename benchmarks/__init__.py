"""Measurements of jdmri: `quality`, `speed`, the `peers` beside which they put it, and the tables made from them."""
