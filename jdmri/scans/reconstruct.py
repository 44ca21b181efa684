"""Reconstruction of scans without a reference: what was measured goes in, images and their residual come out."""

import dataclasses
import itertools
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import jax
import numpy as np
from tqdm import tqdm

from jdmri.classical import METHODS
from jdmri.data.formats.detect import measurements
from jdmri.data.measurements import Measurement
from jdmri.data.references import estimate_maps
from jdmri.errors import InputError
from jdmri.models import pretrained
from jdmri.ops import combine, sense
from jdmri.runtime import processes
from jdmri.scans import writers
from jdmri.training import restore

_BORDER = 8  # the outer 1/8 of kx on either side is taken for noise where no noise scan is there


class Reconstructed(NamedTuple):
    """One slice: ``cine [frame, y, x]``, seconds it took, and ``‖y − Ex‖² / (Mσ²)`` with where σ is from."""

    cine: np.ndarray
    seconds: float
    residual: float
    sigma_from: str


def reconstruct_scan(
    source: Path, output: Path, *, folder: Path | None = None, method: str = "", which: str = "best"
) -> str:
    """Reconstruct every slice of a scan, without any reference.

    The mask is read from the data, coil maps are estimated from the data, and the scale is taken from the
    data, as in training.

    Args:
        source: file or folder of measured k-space.
        output: ``.npz``, ``.h5``, ``.nii.gz``, ``.gif``, ``.mp4``, or a folder ``NAME.dicom``.
        folder: workdir of the network, or None.
        method: a method without training, used where ``folder`` is None.
        which: the checkpoint: ``best``, ``latest`` or a step.

    Returns:
        One line a slice: latency and data-consistency residual.

    Raises:
        InputError: the scan cannot be read, does not fit the network, or the output's name is not known.
    """
    write = writers.choose(output, source, f"the network {folder.name}" if folder else method)
    choose = _network(folder, which) if folder else _method(method)
    own = itertools.islice(measurements(source), jax.process_index(), None, jax.process_count())
    bar = tqdm(own, desc="reconstruct", unit="slice", disable=processes.no_progress())
    found = processes.gather([(one, reconstruct_slice(one, choose(one))) for one in bar])
    if not found:
        raise InputError(f"{source} holds no slice to reconstruct.")
    scans, results = zip(*found, strict=True)
    processes.first_does(lambda: write(output, [done.cine for done in results], list(scans)))
    lines = [
        f"{one.name}: {done.seconds:.2f} s, residual {done.residual:.2f} (1 is expected; σ from {done.sigma_from})"
        for one, done in found
    ]
    return "\n".join([*lines, _hint(method, folder), f"{len(found)} slice(s) are in {output}."])


def reconstruct_slice(one: Measurement, apply: Callable) -> Reconstructed:
    """Reconstruct one measurement by ``apply(kspace, maps, mask)``, which is timed after a first call."""
    sigma, sigma_from = 1.0, "the noise scan"
    if one.noise is not None:
        one = dataclasses.replace(one, kspace=np.asarray(combine.prewhiten(one.kspace, one.noise)))
    else:
        sigma, sigma_from = border_noise(one.kspace, one.mask), "the border of k-space"
    data = (one.kspace, estimate_maps(one), one.mask)
    jax.block_until_ready(apply(*data))
    start = time.perf_counter()
    cine = np.asarray(jax.block_until_ready(apply(*data)))
    seconds = time.perf_counter() - start
    return Reconstructed(cine, seconds, residual(cine, *data, sigma), sigma_from)


def residual(cine, kspace, maps, mask, sigma: float) -> float:
    """Return ``‖y − Ex‖² / (Mσ²)`` over the M measured points of all coils: about 1 for a right model."""
    difference = np.asarray(sense.forward(cine, maps, mask)) - np.where(mask[:, None], kspace, 0)
    count = np.sum(np.broadcast_to(mask[:, None], kspace.shape))
    return float(np.sum(np.abs(difference) ** 2) / (count * max(sigma, 1e-30) ** 2))


def border_noise(kspace: np.ndarray, mask: np.ndarray) -> float:
    """Estimate σ, E|n|² = σ², from the outer kx of the measured lines that lie farthest from the centre.

    Signal that reaches there makes it too large, so that the residual comes out too small. NaN where nothing
    was measured there.

    Args:
        kspace: ``[frame, coil, ky, kx]``.
        mask: bool ``[frame, ky, kx or 1]``.
    """
    num_lines, width = kspace.shape[-2:]
    edge = max(width // (2 * _BORDER), 1)
    distance = np.abs(np.arange(num_lines) - num_lines // 2)
    outer = np.zeros(width, bool)
    outer[:edge] = outer[-edge:] = True
    far = (distance >= np.quantile(distance, 0.75))[:, None]
    sampled = np.broadcast_to(mask & outer, (len(kspace), num_lines, width))
    sampled = sampled & far if (sampled & far).any() else sampled
    points = kspace[np.broadcast_to(sampled[:, None], kspace.shape)]
    points = points[points != 0]  # zero-filled readouts (asymmetric echo) are no noise
    if not points.size:
        return float("nan")
    # The power of noise is exponential; its lower quartile suffers least from the signal.
    return float(np.sqrt(np.quantile(np.abs(points) ** 2, 0.25) / np.log(4 / 3)))


def _network(folder: Path, which: str) -> Callable[[Measurement], Callable]:
    network = restore.restore(folder, which)
    return lambda one: network


def _method(name: str) -> Callable[[Measurement], Callable]:
    """Build a method for cyclic slices and for others; at once, so that a wrong name is refused before data are read."""
    methods = [METHODS.build({"name": name}, cyclic=cyclic) for cyclic in (False, True)]
    return lambda one: methods[one.cyclic]


def _hint(method: str, folder: Path | None) -> str:
    if folder is None and method == pretrained.NAME:
        return pretrained.CAUTION
    if folder is None and method != "cg_sense":
        return "Methods that keep the measured points have the residual of the coil model alone; they copy the noise."
    return "A residual far above 1 says that the image contradicts the data; far below 1, that noise was fitted."
