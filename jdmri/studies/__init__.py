"""Comparison studies: several methods, several seeds, the same subjects."""
