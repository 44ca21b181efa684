"""Random arrays of a reconstruction problem."""

import jax
import jax.numpy as jnp


def complex_normal(key, shape):
    """Draw complex64 white noise, E|n|² = 2."""
    real, imag = jax.random.normal(key, (2, *shape))
    return jax.lax.complex(real, imag)


def unit_maps(key, num_coils, size):
    """Draw random complex maps with Σ_coil |map|² = 1."""
    maps = complex_normal(key, (num_coils, *size))
    return maps / jnp.linalg.norm(maps, axis=0, keepdims=True)


def problem(key, size, num_coils=3, frames=4, line_mask=True):
    keys = jax.random.split(key, 4)
    mask = jax.random.bernoulli(keys[2], 0.4, (frames, size[0], 1 if line_mask else size[1]))
    cine = complex_normal(keys[0], (frames, *size))
    maps = unit_maps(keys[1], num_coils, size)
    kspace = complex_normal(keys[3], (frames, num_coils, *size))
    return cine, maps, mask, kspace
