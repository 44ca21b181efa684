"""File formats: one file per format, from a path to a `Dataset`."""
