"""A small form of each denoiser, and data for it."""

import jax

from jdmri.ops import sense
from tests.helpers.arrays import complex_normal, unit_maps

CASES = {
    "cnn3d": dict(name="cnn3d", width=4, depth=2),
    "cnn3d complex": dict(name="cnn3d", width=4, depth=3, downsample=True, dropout=0.4, batch_norm=True),
    "dual_unet": dict(name="dual_unet", num_frames=5, width=4, head_width=4),
    "dual_unet single": dict(name="dual_unet", num_frames=5, width=8, head=False, single=True, attention="encoder_decoder"),
    "frames_cnn": dict(name="frames_cnn", num_frames=5, width=8),
    "resnet": dict(name="resnet", num_blocks=2, width=4),
    "resnet complex": dict(name="resnet", num_blocks=2, width=4, domain="complex"),
    "spacetime_cnn": dict(name="spacetime_cnn", width=8),
    "unet": dict(name="unet", width=4),
}  # fmt: skip


def example(key, frames=5, size=(18, 17), num_coils=2):
    maps = unit_maps(key, num_coils, size)[None]
    mask = jax.random.bernoulli(key, 0.6, (1, frames, size[0], 1))
    cine = complex_normal(key, (1, frames, *size))
    return sense.forward(cine, maps, mask), maps, mask


def count(variables):
    return sum(a.size for a in jax.tree.leaves(variables["params"]))
