"""BART's ``pics`` on a cine, through its files; its binary must be installed (Debian: ``bart``)."""

import subprocess
import tempfile
from pathlib import Path

import numpy as np

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
