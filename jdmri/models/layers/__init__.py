"""Layers in the formulation that is fast on the device at hand."""
