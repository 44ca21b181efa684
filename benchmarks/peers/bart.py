"""Problems of the methods without training, as BART solves them.

Its ``pics`` reads and writes files; its binary must be installed (Debian: ``bart``).
"""

import subprocess
import tempfile
from pathlib import Path

import numpy as np

from benchmarks.peers.sigpy import Sigpy, SigpyVariation
from jdmri.classical.llr import to_blocks

_TIME = 10  # BART's axis of frames


def pics(kspace, maps, mask, penalty, *, iterations, start, options=()):
    """Return ``[frame, y, x]``. Reading and writing files takes part in the time.

    Args:
        kspace: ``[frame, coil, ky, kx]``.
        maps: ``[coil, y, x]``.
        mask: ``[frame, ky, 1]``.
        penalty: as for ``-R``, e.g. ``T:1024:0:0.01``; the data are not scaled.
        iterations: how many.
        start: ``[frame, y, x]``.
        options: more of them, e.g. ``-m``, for ADMM.
    """
    pattern = np.broadcast_to(np.asarray(mask), (len(kspace), *kspace.shape[-2:]))
    given = {"kspace": kspace, "maps": maps[None], "pattern": pattern[:, None]}
    given["start"] = np.asarray(start)[:, None]
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for name, array in given.items():
            _write(folder / name, np.asarray(array))
        command = ["bart", "pics", "-w", "1", "-i", str(iterations), "-R", penalty, *options]
        command += ["-p", folder / "pattern", "-W", folder / "start"]
        command += [folder / "kspace", folder / "maps", folder / "image"]
        subprocess.run(command, check=True, capture_output=True)
        return _read(folder / "image")


def llr(radius, block: int, sizes: tuple[int, int, int]):
    """Return ``penalty`` and ``options`` of locally low rank with a grid that stays where it is.

    BART's threshold is λ times the largest singular value to be expected of a block of noise; ``sizes`` are frames, y and x.
    ADMM keeps to it; FISTA, the default of version 0.8.00, ended with a twentieth of it.
    """
    frames, *size = sizes
    sides = (block**2, frames)
    blocks = np.prod([-(-n // block) for n in size])
    noise = np.sum(np.sqrt(sides)) + np.sqrt(np.log(blocks * min(sides)))
    return f"L:7:7:{radius / noise}", ("-m", "-n", "-b", str(block))


def _write(path: Path, array) -> None:
    """Write ``[frame, coil, y, x]``; BART's first axis is the fastest."""
    frames, coils, y, x = array.shape
    sizes = [x, y, 1, coils, *[1] * (_TIME - 4), frames, *[1] * (15 - _TIME)]
    path.with_suffix(".hdr").write_text("# Dimensions\n" + " ".join(map(str, sizes)) + "\n")
    array.astype("<c8").tofile(path.with_suffix(".cfl"))


def _read(path: Path) -> np.ndarray:
    """Read ``[frame, y, x]``."""
    sizes = [int(n) for n in path.with_suffix(".hdr").read_text().splitlines()[1].split()]
    return np.fromfile(path.with_suffix(".cfl"), "<c8").reshape(sizes[_TIME], sizes[1], sizes[0])


class BartVariation(SigpyVariation):
    """Temporal total variation by BART's ADMM; the mean is free."""

    library, takes_mean_weight = "BART", False

    def run(self, num_iterations: int):
        """Return the image."""
        options = dict(iterations=num_iterations, start=self.start)
        return pics(self.kspace, self.maps, self.mask, f"T:1024:0:{self.threshold}", **options)


class BartLowRank(Sigpy):
    """Locally low rank on one grid, by BART's ADMM."""

    library, method, block = "BART", "llr", 8

    def __init__(self, data, weight):
        """Take λ relative to the largest singular value of any block of the temporal average."""
        super().__init__(data, weight)
        self.settings = dict(weight=weight, block=self.block, num_shifts=1)
        self.threshold = weight * self._singular_values(self.start).max()

    def run(self, num_iterations: int):
        """Return the image."""
        penalty, options = llr(self.threshold, self.block, self.shape)
        given = dict(iterations=num_iterations, start=self.start, options=options)
        return pics(self.kspace, self.maps, self.mask, penalty, **given)

    def objective(self, image):
        """Misfit + λ Σ_b ‖C_b x‖_*."""
        return self.misfit(image) + self.threshold * np.sum(self._singular_values(image))

    def _singular_values(self, image):
        blocks = to_blocks(np.asarray(image, np.complex64), self.block, 0)
        return np.linalg.svd(np.asarray(blocks, np.complex128), compute_uv=False)
