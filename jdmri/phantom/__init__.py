"""A synthetic beating heart: ``cine, maps = beating_heart(key, num_frames=20, matrix=(96, 96))``."""

from jdmri.phantom.heart import GENERATOR_VERSION, beating_heart

__all__ = ["GENERATOR_VERSION", "beating_heart"]
