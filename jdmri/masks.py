"""Undersampling masks: pure functions of a key, for use inside the compiled step.

``MASKS.build(section)`` checks the settings once and gives a `Sampler`; ``sampler(key, shape)``
draws a line mask bool ``[frame, ky, 1]`` for a series of shape ``[frame, ky, kx]``. The same key
gives the same mask in every process. Lines are counted from 0; the centre is N // 2, and n centre
lines are N // 2 - n // 2 … + n - 1 (for n = 11, N = 192: 91…101).
"""

import dataclasses
import math
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Float

from jdmri.errors import InputError
from jdmri.runtime.registry import Registry
from jdmri.typing import Array, Mask, PRNGKey

MASKS = Registry("mask")

# Ranks a line of weight 0 below every other line (log-weight + Gumbel noise stays above -100) but
# keeps it finite, so that R = 1 samples it too.
_LOG_ZERO_WEIGHT = -1e4


@dataclasses.dataclass(frozen=True)
class Sampler:
    """A way to choose phase-encoding lines.

    Attributes:
        draw: ``(key, num_frames, num_lines) -> bool [frame, ky]``; raises InputError when the
            settings are impossible for ``num_lines``.
        acceleration: the nominal R.
        counts_centre: whether the centre lines count in the nominal R.
    """

    draw: Callable[[PRNGKey, int, int], Bool[Array, "frame ky"]]
    acceleration: float | int
    counts_centre: bool

    def __call__(self, key: PRNGKey, shape: tuple[int, ...]) -> Mask:
        """Draw a mask ``[frame, ky, 1]`` for a series of shape ``[frame, ky, kx]``."""
        num_frames, num_lines, _ = shape
        return self.draw(key, num_frames, num_lines)[:, :, None]


@MASKS.register("variable_density")
def variable_density(
    *, acceleration: float | int, num_center_lines: int, per_frame: bool = True
) -> Sampler:
    """Draw lines without replacement with weight (1 - |i - N/2| / (N/2))², centre always in.

    Founding document S0: exactly ⌊N/R⌋ lines a frame, centre lines included; at N = 192, R = 5
    and 11 centre lines 11 + 27 = 38.
    """

    def log_weights(num_lines):
        distance = np.abs(np.arange(num_lines) - num_lines / 2) / (num_lines / 2)
        return _log((1 - distance) ** 2)

    return _weighted(log_weights, acceleration, num_center_lines, per_frame)


@MASKS.register("kt_gaussian")
def kt_gaussian(
    *, acceleration: float | int, num_center_lines: int, per_frame: bool = True
) -> Sampler:
    """Draw lines with weight exp(-½ ((i - N/2) / (N/10))²) + 1 / (2R), centre always in.

    The density used with k-t FOCUSS and by Schlemper et al. 2018 (doi:10.1109/TMI.2017.2760978);
    exactly ⌊N/R⌋ lines a frame, centre lines included.
    """

    def log_weights(num_lines):
        distance = (np.arange(num_lines) - num_lines / 2) / (num_lines / 10)
        return _log(np.exp(-0.5 * distance**2) + 1 / (2 * acceleration))

    return _weighted(log_weights, acceleration, num_center_lines, per_frame)


@MASKS.register("uniform")
def uniform(
    *, acceleration: float | int, num_center_lines: int, per_frame: bool = False
) -> Sampler:
    """Take every R-th line from a random offset, and the centre (ACS) lines besides.

    GRAPPA style, as in Ghodrati et al. 2019 (S3): R is the outer spacing, and ACS lines come on
    top, so that 4× with 22 ACS lines of 192 is a true R of 2.95 to 3. With ``per_frame`` the
    pattern moves on by one line from frame to frame (TGRAPPA).
    """
    return _regular(acceleration, num_center_lines, shear=1 if per_frame else 0)


@MASKS.register("lattice")
def lattice(
    *, acceleration: float | int, num_center_lines: int = 0, per_frame: bool = True
) -> Sampler:
    """Take every R-th line, sheared from frame to frame (k-t BLAST; Tsao et al. 2003).

    The shear is the step coprime to R nearest to R / φ², which keeps neighbours in k-t space far
    apart: 2 for R = 5, 3 for R = 8. Centre lines come on top. Without ``per_frame`` all frames are alike.
    """
    steps = [s for s in range(1, max(int(acceleration), 2)) if math.gcd(s, int(acceleration)) == 1]
    golden = acceleration * (3 - math.sqrt(5)) / 2
    shear = min(steps, key=lambda s: abs(s - golden))
    return _regular(acceleration, num_center_lines, shear=shear if per_frame else 0)


@MASKS.register("full")
def full() -> Sampler:
    """Sample every line."""
    return Sampler(
        lambda key, num_frames, num_lines: jnp.ones((num_frames, num_lines), bool), 1.0, True
    )


def describe(mask: Mask) -> dict[str, float]:
    """State what a mask ``[frame, ky, kx or 1]`` really samples.

    Returns:
        ``acceleration``: true R = N·T / Σ mask; ``lines_per_frame``: mean; ``num_center_lines``:
        length of the run of lines around N // 2 that every frame samples.
    """
    mask = np.asarray(mask)
    lines = mask.any(axis=-1)
    always = lines.all(axis=0)
    centre = lines.shape[1] // 2
    below = np.argmin(np.append(always[centre::-1], False))
    above = np.argmin(np.append(always[centre:], False))
    return {
        "acceleration": float(mask.size / max(mask.sum(), 1)),
        "lines_per_frame": float(lines.sum(axis=1).mean()),
        "num_center_lines": int(max(below + above - 1, 0)),
    }


def _weighted(log_weights, acceleration, num_center_lines, per_frame) -> Sampler:
    """Draw ⌊N/R⌋ lines a frame by Gumbel top-k.

    The top k of log w + Gumbel noise are k draws without replacement with probability ∝ w (Kool
    et al. 2019). Indices, not a threshold, which miscounts at ties.
    """
    _check(acceleration, num_center_lines)

    def draw(key, num_frames, num_lines):
        count = int(num_lines // acceleration)
        if num_center_lines > count:
            raise InputError(
                f"{num_center_lines} centre lines do not fit: {num_lines} lines at acceleration "
                f"{acceleration:g} allow {count}; lower num_center_lines or acceleration."
            )
        if num_center_lines == count < num_lines:
            raise InputError(
                f"{num_center_lines} centre lines leave no other: {num_lines} lines at acceleration {acceleration:g} "
                f"allow {count}; lower num_center_lines or acceleration."
            )
        rows = num_frames if per_frame else 1
        score = log_weights(num_lines)[None] + jax.random.gumbel(key, (rows, num_lines))
        score = jnp.where(_centre(num_lines, num_center_lines)[None], jnp.inf, score)
        _, chosen = jax.lax.top_k(score, count)
        lines = jnp.zeros((rows, num_lines), bool).at[jnp.arange(rows)[:, None], chosen].set(True)
        return jnp.broadcast_to(lines, (num_frames, num_lines))

    return Sampler(draw, acceleration, counts_centre=True)


def _regular(acceleration, num_center_lines, shear) -> Sampler:
    """Take the lines i with (i - offset - shear · frame) divisible by R, and the centre lines."""
    _check(acceleration, num_center_lines)
    if acceleration != int(acceleration):
        raise InputError(f"a regular mask needs a whole acceleration, got {acceleration:g}.")
    spacing = int(acceleration)

    def draw(key, num_frames, num_lines):
        if max(spacing, num_center_lines) > num_lines:
            raise InputError(
                f"{num_lines} lines are too few for a spacing of {spacing} and {num_center_lines} centre lines."
            )
        offset = jax.random.randint(key, (), 0, spacing)
        frame, line = jnp.arange(num_frames)[:, None], jnp.arange(num_lines)[None]
        lines = (line - offset - shear * frame) % spacing == 0
        return lines | _centre(num_lines, num_center_lines)[None]

    return Sampler(draw, acceleration, counts_centre=False)


def _check(acceleration: float | int, num_center_lines: int) -> None:
    if acceleration < 1:
        raise InputError(f"acceleration must be at least 1, got {acceleration:g}.")
    if num_center_lines < 0:
        raise InputError(f"num_center_lines must be at least 0, got {num_center_lines}.")


def _centre(num_lines: int, num_center_lines: int) -> Bool[np.ndarray, " ky"]:
    start = num_lines // 2 - num_center_lines // 2
    line = np.arange(num_lines)
    return (line >= start) & (line < start + num_center_lines)


def _log(weights: Float[np.ndarray, " ky"]) -> Float[np.ndarray, " ky"]:
    """Take logarithms, with a finite floor for weight 0."""
    safe = np.where(weights > 0, weights, 1)
    return np.where(weights > 0, np.log(safe), _LOG_ZERO_WEIGHT).astype(np.float32)
