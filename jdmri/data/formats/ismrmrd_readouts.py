"""From ISMRMRD's readouts to k-space: each to its line and frame, its centre sample to N // 2, repeats averaged."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from jdmri.data import numpy_fourier
from jdmri.data.formats import reading
from jdmri.data.formats.ismrmrd_header import Geometry
from jdmri.errors import InputError

GROUPING = ("slice", "set", "contrast")  # counters that make a measurement of its own
_BLOCK = 256  # readouts read at once


@dataclasses.dataclass(frozen=True)
class Scan:
    """What is needed to read any slice of a file.

    Attributes:
        file: the HDF5 file.
        group: of the acquisitions in it.
        geometry: what the XML header says.
        heads: structured array, the headers of all readouts.
        image: bool, which of them are image data.
        noise: bool, which are noise.
        left_out: how many are neither.
    """

    file: Path
    group: str
    geometry: Geometry
    heads: np.ndarray
    image: np.ndarray
    noise: np.ndarray
    left_out: int

    def readouts_of(self, which: tuple[int, ...]) -> np.ndarray:
        """Say of each readout whether it is image data of the slice with these values of `GROUPING`."""
        chosen = self.image.copy()
        for counter, value in zip(GROUPING, which, strict=True):
            chosen &= self.heads["idx"][counter] == value
        return chosen


def fill(scan: Scan, which: tuple[int, ...], readouts) -> tuple[np.ndarray, list[str]]:
    """Place each readout of one slice; average what was measured more than once.

    Args:
        scan: the file.
        which: values of `GROUPING`.
        readouts: the HDF5 array of readouts.

    Returns:
        complex64 ``[frame, coil, ky, kx]``, kx oversampled as measured, and warnings.

    Raises:
        InputError: counters beyond the matrix, or readouts that differ in coils.
    """
    chosen = scan.readouts_of(which)
    heads = scan.heads[chosen]
    frame, num_frames = frames(scan, heads)
    line = heads["idx"]["kspace_encode_step_1"].astype(int) + scan.geometry.line_offset
    height, width = scan.geometry.matrix
    coils = int(heads["active_channels"][0])
    if line.min() < 0 or line.max() >= height:
        raise InputError(
            f"{scan.file}: ky runs from {line.min()} to {line.max()} of a matrix of {height} lines; its header is wrong."
        )
    reading.check_declared(scan.file, (num_frames, coils, height, width))
    kspace = np.zeros((num_frames, coils, height, width), np.complex64)
    count = np.zeros((num_frames, height), int)
    placed = zip(_values(readouts, np.flatnonzero(chosen)), frame, line, strict=True)
    for (i, values), f, y in placed:
        kspace[f, :, y] += _readout(scan, i, values, coils)
        count[f, y] += 1
    kspace /= np.maximum(count, 1)[:, None, :, None]
    return kspace, _echo_warnings(heads, width)


def frames(scan: Scan, heads: np.ndarray) -> tuple[np.ndarray, int]:
    """Return the frame of each readout, by (repetition, phase), and their number; those that nobody measured stay, empty."""
    num_phases = int(scan.heads["idx"]["phase"][scan.image].max()) + 1
    repetitions = int(scan.heads["idx"]["repetition"][scan.image].max()) + 1
    frame = heads["idx"]["repetition"].astype(int) * num_phases + heads["idx"]["phase"]
    return frame, repetitions * num_phases


def _values(readouts, indices: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """Read the values of readouts, in blocks: one by one takes twenty times as long."""
    for first in range(0, len(indices), _BLOCK):
        block = indices[first : first + _BLOCK]
        values = readouts.fields("data")[block]
        yield from ((int(i), np.asarray(v, np.float32)) for i, v in zip(block, values, strict=True))


def _readout(scan: Scan, index: int, values: np.ndarray, coils: int) -> np.ndarray:
    """Put one readout ``[coil, sample]`` on the matrix, its centre sample at N // 2."""
    head = scan.heads[index]
    samples = values.view(np.complex64)
    samples = samples.reshape(int(head["active_channels"]), int(head["number_of_samples"]))
    if samples.shape[0] != coils:
        raise InputError(f"{scan.file}: readout {index} has {samples.shape[0]} coils, not {coils}.")
    if scan.geometry.pilot_tone:
        samples = np.concatenate(
            [0 * samples[:, :3], samples[:, 3:-1], 0 * samples[:, -1:]], axis=1
        )
    width = scan.geometry.matrix[1]
    first, last = int(head["discard_pre"]), samples.shape[1] - int(head["discard_post"])
    start = width // 2 - int(head["center_sample"])
    low, high = max(first, -start), min(last, width - start)
    out = np.zeros((coils, width), np.complex64)
    out[:, low + start : high + start] = samples[:, low:high]
    return out


def _echo_warnings(heads: np.ndarray, width: int) -> list[str]:
    """Say what the centre sample of the first readout means for its ends."""
    before = width // 2 - int(heads["center_sample"][0]) + int(heads["discard_pre"][0])
    if before == 0:
        return []
    if before < 0:
        return [
            f"the header's matrix of {width} samples is too small for the echo: the first {-before} are dropped"
        ]
    return [
        f"asymmetric echo: the first {before} of {width} samples of each readout were not measured and are zero; the mask does not say so"
    ]


def join_noise(scan: Scan, readouts) -> np.ndarray | None:
    """Join the noise readouts ``[coil, sample]``."""
    found = [
        values.view(np.complex64).reshape(int(scan.heads["active_channels"][i]), -1)
        for i, values in _values(readouts, np.flatnonzero(scan.noise))
    ]
    return np.concatenate(found, axis=1) if found else None


def crop_readout(kspace: np.ndarray, width: int) -> np.ndarray:
    """Keep the middle ``width`` pixels along x of ``[..., ky, kx]``: what was oversampled lies outside."""
    hybrid = numpy_fourier.ifftc(kspace, (-1,))
    start = kspace.shape[-1] // 2 - width // 2
    return numpy_fourier.fftc(hybrid[..., start : start + width], (-1,))
