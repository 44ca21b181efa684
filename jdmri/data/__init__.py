"""Readers: one file per format, each giving a sequence of `Series`."""
