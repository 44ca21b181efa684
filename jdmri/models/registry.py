"""The registries of networks; the file of a network enters it here by a decorator."""

from jdmri.runtime.registry import Registry

MODELS = Registry("model")
DENOISERS = Registry("denoiser")
