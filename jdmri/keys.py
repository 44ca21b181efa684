"""What is drawn at random for one series, each with a key of its own."""

from typing import NamedTuple

import jax


class DrawKeys(NamedTuple):
    """What one sample draws, each with a key of its own."""

    augment: jax.Array
    mask: jax.Array
    noise: jax.Array
    dropout: jax.Array


def draw_keys(key: jax.Array) -> DrawKeys:
    """Split the key of one sample."""
    return DrawKeys(*jax.random.split(key, len(DrawKeys._fields)))


def series_key(eval_seed: int, series_seed: jax.Array) -> jax.Array:
    """Return the key of a validation or test series: always the same for the same series."""
    return jax.random.fold_in(jax.random.key(eval_seed), series_seed)
