"""The whole chain: a key in, a cine with its k-space, coil maps and ground truth out."""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from jdmri.errors import InputError
from jdmri.ops import fourier, sense
from jdmri.phantom import (
    coils,
    heart,
    motion,
    rhythm,
    scanner,
)
from jdmri.phantom.fields import smooth_noise
from jdmri.phantom.population import Subject, draw_subject
from jdmri.phantom.signal import TISSUES, bssfp
from jdmri.phantom.torso import torso
from jdmri.phantom.view import View, make_view
from jdmri.typing import Cine, CoilMaps, KSpace, PRNGKey

GENERATOR_VERSION = 2
_RECEIVERS = 6  # of the array that shades a single-coil image


class Scan(NamedTuple):
    """One simulated examination; all positions refer to the image grid.

    Attributes:
        cine: noise-free, blood about 0.7, ``[frame, y, x]``.
        maps: Σ_coil |map|² = 1.
        kspace: fully sampled, ``[frame, coil, ky, kx]``.
        labels: LV cavity, LV wall and RV cavity, ``[frame, 3, y, x]``.
        volume: of the LV cavity in ml.
        displacement: where tissue was at end-diastole, less where it is: (y, x) in pixels.
        pixel: side in mm.
        subject: who it is.
        consistent: whether ``kspace`` is strictly ``E(cine)`` and noise, an "inverse crime" to be stated.
    """

    cine: Cine
    maps: CoilMaps
    kspace: KSpace
    labels: Bool[Array, "frame 3 y x"]
    volume: Float[Array, " frame"]
    displacement: Float[Array, "frame 2 y x"]
    pixel: Array
    subject: Subject
    consistent: Bool[Array, ""]

    @property
    def ejection_fraction(self) -> Array:
        """(end-diastolic − end-systolic) / end-diastolic volume, 0…1."""
        return 1 - jnp.min(self.volume) / jnp.max(self.volume)


def simulate(
    key: PRNGKey,
    *,
    num_frames: int = 20,
    matrix: tuple[int, int] = (192, 192),
    num_coils: int = 1,
    field: float | None = None,
    snr: float | None = None,
    consistent: bool = False,
    moments_per_frame: int = 1,
    num_beats: int = 1,
    breathing: bool = False,
    arrhythmia: bool = False,
    phase_resolution: float = 1.0,
    partial_echo: float = 1.0,
) -> Scan:
    """Draw one subject and scan the beating heart, short axis, balanced SSFP.

    Painted at twice the resolution and cropped in k-space, per coil: partial volume and Gibbs
    ringing are real, and with several coils the data are not exactly ``E(cine)``.

    Args:
        key: the same key gives the same bytes.
        num_frames: over ``num_beats`` cycles.
        matrix: (y, x); phase encoding is y.
        num_coils: 1 gives maps of ones.
        field: 1.5 or 3 T; None draws one.
        snr: of the blood in the noise of ``kspace``; None adds no noise.
        consistent: make ``kspace`` strictly ``E(cine)``, an "inverse crime"; label results so.
        moments_per_frame: how often within a frame the heart moves on while the lines of k-space are
            taken from the first to the last; 1 freezes each frame.
        num_beats: cycles in the series.
        breathing: the body moves.
        arrhythmia: RR variation and one ectopic beat; needs two beats.
        phase_resolution: share of the phase encoding lines that is acquired.
        partial_echo: share of the readout that is acquired.

    Raises:
        InputError: an impossible size or share.
    """
    _check(num_frames, matrix, num_coils, field, moments_per_frame, num_beats, arrhythmia)
    _check_acquisition(snr, phase_resolution, partial_echo)
    return _simulate(
        key, num_frames, tuple(matrix), num_coils, field, snr or 0.0, consistent, moments_per_frame,
        (num_beats, arrhythmia, breathing), (phase_resolution, partial_echo),
    )  # fmt: skip


@partial(jax.jit, static_argnums=(1, 2, 3, 4, 6, 7, 8, 9))
def _simulate(
    key, num_frames, matrix, num_coils, field, snr, consistent, per_frame, beats, shares
) -> Scan:
    keys = jax.random.split(key, 8)
    subject = draw_subject(keys[0], field)
    rest = motion.contour(subject)
    fine = tuple(scanner.FINE * n for n in matrix)
    view = make_view(fine, subject)
    signals = _signals(keys[1], view)
    body = torso(keys[2], view.y, view.x, view.pixel, subject, rest, signals)
    material = heart.make_material(keys[3], view, body)
    receive, shading = _receivers(keys[4], view, rest, num_coils)
    weight = shading * jnp.exp(1j * scanner.background_phase(keys[5], fine))

    def one(moment):
        image = heart.paint_frame(keys[3], moment, view, material, signals)
        return scanner.to_kspace(receive * (image * weight)[None], matrix)

    num_beats, arrhythmia, breathing = beats
    times = jnp.arange(num_frames * per_frame) / (num_frames * per_frame) * num_beats
    moments = rhythm.moments(
        keys[6], times, num_beats=num_beats, arrhythmia=arrhythmia, breathing=breathing
    )
    acquired = scanner.resolution(matrix, *shares)
    kspace = jax.lax.map(one, moments) * acquired[None, None]
    maps = _maps(receive, matrix)
    middle = slice(per_frame // 2, None, per_frame)
    cine = jnp.sum(fourier.ifftc(kspace[middle]) * maps.conj()[None], axis=1)
    kspace = _one_moment_a_line(kspace, num_frames)
    if consistent:
        kspace = sense.forward(cine, maps, jnp.ones((num_frames, *matrix), bool))
    noise = scanner.white_noise(keys[7], kspace.shape, _BLOOD / jnp.maximum(snr, 1e-6))
    kspace = kspace + jnp.where(snr > 0, acquired[None, None] * noise, 0)
    shown = jax.tree.map(lambda a: a[middle], moments)
    volume = motion.ventricular_volume(subject, shown)
    pixel = view.pixel * scanner.FINE
    labels, displacement = _truth(view, shown, matrix)
    return Scan(
        cine, maps, kspace, labels, volume, displacement, pixel, subject, jnp.asarray(consistent)
    )


_BLOOD = 0.7  # magnitude of arterial blood on resonance


def _signals(key: PRNGKey, view: View):
    """Signal of each tissue on the grid, with a smooth off-resonance; blood is ``_BLOOD``."""
    sequence = view.subject.sequence
    deviation_key, field_key = jax.random.split(key)
    deviation = jax.random.uniform(deviation_key, minval=8.0, maxval=22.0)
    lengths = jnp.array([50.0]) / view.pixel
    off_resonance = smooth_noise(field_key, view.y.shape, lengths)[0]
    off_resonance = off_resonance * deviation * jnp.sqrt(sequence.field / 1.5)
    scale = _BLOOD / jnp.abs(bssfp("arterial_blood", jnp.zeros(()), sequence))
    return {name: scale * bssfp(name, off_resonance, sequence) for name in TISSUES}


def _receivers(key: PRNGKey, view: View, rest, num_coils: int):
    """Normalised sensitivities on the fine grid, and what is left of their sum in the image."""
    raw = coils.sensitivities(key, view, rest, max(num_coils, _RECEIVERS))
    total = jnp.linalg.norm(raw, axis=0)
    shading = (total / jnp.median(total)) ** view.subject.shading
    if num_coils == 1:
        return jnp.ones((1, *total.shape), jnp.complex64), shading
    raw = raw[:num_coils]
    return raw / (jnp.linalg.norm(raw, axis=0, keepdims=True) + 1e-12), shading


def _maps(receive, matrix) -> CoilMaps:
    """The sensitivities at the pixels of the image, normalised."""
    maps = scanner.at_pixels(receive, matrix)
    return maps / jnp.linalg.norm(maps, axis=0, keepdims=True)


def _truth(view: View, moments: motion.Moment, matrix):
    """Labels and displacement in pixels, at the pixels of the image."""
    at = partial(scanner.at_pixels, matrix=matrix)
    coarse = view._replace(y=at(view.y), x=at(view.x))
    row, column = jnp.meshgrid(*(jnp.arange(float(n)) for n in view.y.shape), indexing="ij")
    here = jnp.stack([at(row), at(column)])

    def one(moment):
        labels, place = heart.truth(moment, coarse, view.indices)
        return labels, (place - here) / scanner.FINE

    return jax.lax.map(one, moments)


def _one_moment_a_line(kspace, num_frames: int):
    """Take each line from its own moment of the frame, first lines first."""
    per_frame = len(kspace) // num_frames
    stacked = kspace.reshape(num_frames, per_frame, *kspace.shape[1:])
    line = jnp.arange(kspace.shape[-2])
    moment = line * per_frame // kspace.shape[-2]
    return jnp.take_along_axis(
        stacked, moment.reshape(1, 1, 1, -1, 1), axis=1
    )[:, 0]  # fmt: skip


def _check(num_frames, matrix, num_coils, field, per_frame, num_beats, arrhythmia) -> None:
    if min(num_frames, num_coils, per_frame, num_beats) < 1 or len(matrix) != 2 or min(matrix) < 8:
        raise InputError(
            f"a phantom needs num_frames, num_coils, moments_per_frame and num_beats of 1 or more and "
            f"matrix=(y, x) of 8 or more; got {num_frames}, {num_coils}, {per_frame}, {num_beats}, {tuple(matrix)}."
        )
    if field not in (None, 1.5, 3, 3.0):
        raise InputError(f"the phantom's field is 1.5 or 3 (T), got {field}.")
    if arrhythmia and num_beats < 2:
        raise InputError(f"arrhythmia needs num_beats of 2 or more, got {num_beats}.")


def _check_acquisition(snr, phase_resolution, partial_echo) -> None:
    if snr is not None and snr <= 0:
        raise InputError(f"the phantom's snr is positive, or None for no noise; got {snr:g}.")
    if not (0 < phase_resolution <= 1 and 0 < partial_echo <= 1):
        raise InputError(
            f"phase_resolution and partial_echo are shares in (0, 1], got {phase_resolution:g} and {partial_echo:g}."
        )
