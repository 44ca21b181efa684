"""A smooth phase for magnitude images: random, or measured on complex ones."""

from pathlib import Path

import numpy as np

from jdmri.errors import InputError

_ORDER = 3
_KEPT = 24  # central k-space lines that define a measured phase


def smooth_phase(kind: str, count: int, size: tuple[int, int]) -> np.ndarray | None:
    """Return unit complex64 ``[series, y, x]`` to multiply magnitudes with; None for ``none``.

    Args:
        kind: ``none``, ``polynomial`` (random cubic, a few radians, seeded by the series' index), or the
            path of an ``.npz`` of complex images ``[echo, y, x]``; series i takes image i mod n.
        count: number of series.
        size: (y, x).

    Raises:
        InputError: the file has no complex images.
    """
    if kind == "none":
        return None
    if kind == "polynomial":
        return np.stack([_polynomial(index, size) for index in range(count)])
    measured = _measured(Path(kind), size)
    return np.stack([measured[index % len(measured)] for index in range(count)])


def _polynomial(seed: int, size: tuple[int, int]) -> np.ndarray:
    rng = np.random.default_rng(seed)
    y, x = np.meshgrid(*(np.linspace(-1, 1, n) for n in size), indexing="ij")
    powers = [(i, j) for i in range(_ORDER + 1) for j in range(_ORDER + 1 - i)]
    angle = sum(rng.normal() / (1 + i + j) * y**i * x**j for i, j in powers)
    return np.exp(1j * angle).astype(np.complex64)


def _measured(path: Path, size: tuple[int, int]) -> list[np.ndarray]:
    if not path.is_file():
        raise InputError(
            f"data.phase must be none, polynomial or a file; there is no file {str(path)!r}."
        )
    try:
        with np.load(path, allow_pickle=False) as loaded:
            images = [loaded[k] for k in sorted(loaded.files)]
    except Exception as error:
        raise InputError(
            f"cannot read data.phase={path}: {' '.join(str(error).split())[:120]}."
        ) from error
    if not images or any(i.ndim != 3 or not np.iscomplexobj(i) for i in images):
        raise InputError(f"data.phase={path} must hold complex images [echo, y, x].")
    return [_low_pass_phase(image[0], size) for image in images]


def _low_pass_phase(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Keep the centre of k-space under a Hann window, and put it on the new grid."""
    kspace = np.fft.fftshift(np.fft.fft2(np.fft.ifftshift(image)))
    grid = np.zeros(size, complex)
    kept = [min(_KEPT, n, m) for n, m in zip(size, image.shape, strict=True)]
    source = tuple(
        slice(n // 2 - k // 2, n // 2 - k // 2 + k) for n, k in zip(image.shape, kept, strict=True)
    )
    target = tuple(
        slice(n // 2 - k // 2, n // 2 - k // 2 + k) for n, k in zip(size, kept, strict=True)
    )
    window = np.outer(*(np.hanning(k + 2)[1:-1] for k in kept))
    grid[target] = kspace[source] * window
    smooth = np.fft.fftshift(np.fft.ifft2(np.fft.ifftshift(grid)))
    return (smooth / np.maximum(np.abs(smooth), 1e-12)).astype(np.complex64)
