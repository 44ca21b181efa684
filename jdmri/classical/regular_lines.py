"""The geometry of a regular mask: its spacing, its lattice of lines, and the lines to calibrate from.

Read with NumPy from a concrete mask, because sizes of arrays follow from it.
"""

import dataclasses

import jax
import numpy as np
from jaxtyping import Bool

from jdmri.errors import InputError
from jdmri.typing import Mask


@dataclasses.dataclass(frozen=True)
class RegularLines:
    """The regular lines of a mask, as `grappa` needs them.

    Attributes:
        spacing: R, from one line of the lattice to the next, the same in all frames.
        lattice: ``[frame, ky]``, the lines offset + R · i; a frame's centre lines besides are not in it.
        calibration: the longest run of lines that some frame sampled.
    """

    spacing: int
    lattice: Bool[np.ndarray, "frame ky"]
    calibration: slice


def regular_lines(mask: Mask, *, kernel_lines: int) -> RegularLines:
    """Read the geometry of ``[frame, ky, kx or 1]``.

    Raises:
        InputError: frames are not lattices of one spacing with a run of centre lines, or fewer lines to
            calibrate from than ``kernel_lines`` lines of the lattice span.
    """
    lines = _whole_lines(mask)
    spacing, lattices = zip(*(_lattice(frame, t) for t, frame in enumerate(lines)), strict=True)
    if len(set(spacing)) > 1:
        raise InputError(
            f"grappa needs one spacing for all frames, got {sorted(set(spacing))}; "
            "use mask.name=uniform, or method cg_sense."
        )
    calibration = _longest_run(lines.any(axis=0))
    wanted, found = (kernel_lines - 1) * spacing[0] + 1, calibration.stop - calibration.start
    if spacing[0] > 1 and found < wanted:
        raise InputError(
            f"grappa needs {wanted} neighbouring lines to calibrate {kernel_lines} lines at spacing {spacing[0]}, "
            f"got {found}; use a mask with per_frame=True, or with num_center_lines={wanted} or more."
        )
    return RegularLines(spacing[0], np.stack(lattices), calibration)


def _whole_lines(mask: Mask) -> Bool[np.ndarray, "frame ky"]:
    if isinstance(mask, jax.core.Tracer):
        raise InputError(
            "grappa reads the spacing from the mask: call it outside jax.jit and vmap."
        )
    mask = np.asarray(mask)
    if (mask != mask[..., :1]).any():
        raise InputError("grappa needs whole lines, got a mask that varies along kx; use cg_sense.")
    return mask[..., 0]


def _lattice(sampled: Bool[np.ndarray, " ky"], frame: int) -> tuple[int, Bool[np.ndarray, " ky"]]:
    """Return the spacing and the lines offset + R · i; what is sampled besides must be one run."""
    (found,) = np.nonzero(sampled)
    if len(found) < 2:
        raise InputError(f"grappa needs two lines or more a frame, frame {frame} has {len(found)}.")
    gaps = np.diff(found)
    spacing = int(gaps.max())
    index = np.arange(len(sampled))
    lattice = index % spacing == found[gaps.argmax()] % spacing
    (rest,) = np.nonzero(sampled & ~lattice)
    run = slice(rest[0], rest[-1] + 1) if len(rest) else slice(0, 0)
    if not (sampled[lattice].all() and sampled[run].all()):
        raise InputError(
            "grappa needs every R-th line and a run of centre lines, "
            f"got frame {frame} with gaps from {gaps.min()} to {spacing} lines; "
            "use mask.name=uniform or lattice, or method cg_sense."
        )
    return spacing, lattice


def _longest_run(sampled: Bool[np.ndarray, " ky"]) -> slice:
    """Return the longest run of true values, the first of equally long ones."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], sampled, [False]])))
    starts, stops = edges[::2], edges[1::2]
    longest = np.argmax(stops - starts)
    return slice(int(starts[longest]), int(stops[longest]))
