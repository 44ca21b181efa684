"""A synthetic beating heart: ``scan = phantom.simulate(key, num_frames=20, matrix=(192, 192))``."""

from jdmri.phantom.scan import GENERATOR_VERSION, Scan, simulate

__all__ = ["GENERATOR_VERSION", "Scan", "simulate"]
