"""Configurations: plain data, one file an experiment."""
