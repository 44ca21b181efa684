"""Times of the frames: regular beats, arrhythmia, breathing."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from jdmri.phantom.motion import Moment
from jdmri.phantom.population import Draw
from jdmri.typing import PRNGKey


def moments(
    key: PRNGKey, times: Float[Array, " n"], *, num_beats: int, arrhythmia: bool, breathing: bool
) -> Moment:
    """Translate times to the phase of the heart and of the breath.

    Args:
        key: of the subject.
        times: in mean heart cycles, 0…num_beats.
        num_beats: cycles in the series.
        arrhythmia: RR intervals vary by 5 %, and one beat comes early and weak, with a pause after it.
        breathing: the body moves along its long axis by 8–15 mm, with 3–5 cycles a breath.

    Returns:
        One value a time.
    """
    draw = Draw(key, 4 + num_beats)
    durations, strength = jnp.ones(num_beats), jnp.ones(num_beats)
    if arrhythmia:
        beat = jnp.arange(num_beats)
        ectopic = jnp.floor(draw.uniform(0.0, num_beats - 1.0))
        durations = 1 + draw.normal(0.0, 0.05, (num_beats,))
        durations = jnp.where(
            beat == ectopic, 0.62, jnp.where(beat == ectopic + 1, 1.35, durations)
        )
        durations = durations * num_beats / jnp.sum(durations)
        strength = jnp.where(beat == ectopic, 0.55, strength)
    ends = jnp.cumsum(durations)
    beat = jnp.clip(jnp.searchsorted(ends, times, side="right"), 0, num_beats - 1)
    phase = (times - (ends - durations)[beat]) / durations[beat]
    breath = jnp.zeros_like(times)
    if breathing:
        cycle = times / draw.uniform(3.0, 5.0) + draw.uniform(0.0, 1.0)
        # Long at the end of expiration, as people breathe (Lujan et al. 1999, doi:10.1118/1.598577).
        breath = draw.uniform(8.0, 15.0) * jnp.sin(jnp.pi * cycle) ** 4
    return Moment(phase, strength[beat], jax.lax.stop_gradient(breath))
