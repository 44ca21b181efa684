"""Films of reconstructions for slides: GIF, or MP4 with the extra ``movies``."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from jdmri.errors import InputError
from jdmri.report.page.sheets import peak
from jdmri.runtime import files

_HEADER = 14  # pixels above a picture, for its name
_SHORTEST = 0.02  # seconds; browsers slow a GIF down whose frames are shorter


def panels(
    reference: np.ndarray, estimates: Mapping[str, np.ndarray], *, gain: float = 5
) -> np.ndarray:
    """Lay out reference and estimates in a row, their errors below, names above.

    Args:
        reference: ``[frame, y, x]``, complex or magnitude; its 99.5th percentile is white.
        estimates: method → the same shape.
        gain: of the errors ``| |estimate| - |reference| |``.

    Returns:
        uint8 ``[frame, Y, X]``.
    """
    top = peak(reference)
    truth = np.abs(reference) / top
    shown = [np.abs(e) / top for e in estimates.values()]
    wrong = [gain * np.abs(s - truth) for s in shown]
    names = [n.replace("_", " ") for n in estimates]
    above = _row([truth, *shown], ["reference", *names])
    below = _row([np.zeros_like(truth), *wrong], ["", *[f"{gain:g}x |error|" for _ in names]])
    return np.concatenate([above, below] if estimates else [above], axis=1)


def strip(cines: Mapping[str, np.ndarray]) -> np.ndarray:
    """Lay out series side by side, each with its name and its 99.5th percentile white.

    Args:
        cines: name → ``[frame, y, x]``, complex or magnitude, of one shape.

    Returns:
        uint8 ``[frame, Y, X]``.
    """
    return _row([np.abs(c) / peak(c) for c in cines.values()], list(cines))


def save(path: Path, frames: np.ndarray, cycle_seconds: float = 1.0) -> None:
    """Write a film as the file name says, atomically; a GIF runs for ever.

    Args:
        path: ends in ``.gif`` or ``.mp4``.
        frames: uint8 ``[frame, Y, X]``.
        cycle_seconds: the duration of all frames.

    Raises:
        InputError: another ending, or no encoder for MP4.
    """
    writers = {".gif": _write_gif, ".mp4": _write_mp4}
    if path.suffix.lower() not in writers:
        raise InputError(f"a film is a .gif or an .mp4, got {path.name!r}.")
    write = writers[path.suffix.lower()]
    files.write_atomic(path, lambda temporary: write(temporary, frames, cycle_seconds))


def _row(cines: list[np.ndarray], names: list[str]) -> np.ndarray:
    return np.concatenate([_named(c, n) for c, n in zip(cines, names, strict=True)], axis=2)


def _named(cine: np.ndarray, name: str) -> np.ndarray:
    """Quantise ``[frame, y, x]`` (1: white; not finite: black) and put a name above it."""
    levels = np.round(255 * np.clip(np.where(np.isfinite(cine), cine, 0), 0, 1)).astype(np.uint8)
    header = Image.new("L", (cine.shape[2], _HEADER))
    ImageDraw.Draw(header).text((2, 1), name, fill=255, font=ImageFont.load_default(size=10))
    above = np.broadcast_to(np.asarray(header), (len(cine), *np.asarray(header).shape))
    return np.concatenate([above, levels], axis=1)


def _write_gif(path: Path, frames: np.ndarray, seconds: float) -> None:
    """Spread the rounding, as a GIF counts in hundredths of a second: the cycle keeps its length."""
    seconds = max(seconds, _SHORTEST * len(frames))
    ends = np.round(100 * seconds * np.arange(len(frames) + 1) / len(frames))
    pictures = [Image.fromarray(f) for f in frames]
    durations = (10 * np.diff(ends)).astype(int).tolist()
    pictures[0].save(
        path, "gif", save_all=True, append_images=pictures[1:], duration=durations, loop=0
    )


def _write_mp4(path: Path, frames: np.ndarray, seconds: float) -> None:
    try:
        import imageio.v2 as imageio
        import imageio_ffmpeg  # noqa: F401
    except ImportError as error:
        raise InputError("MP4 needs an encoder: pip install 'jdmri[movies]'") from error
    # The common pixel format halves the colours' resolution, so that sides must be even.
    even = np.pad(frames, ((0, 0), (0, frames.shape[1] % 2), (0, frames.shape[2] % 2)))
    with imageio.get_writer(
        path, format="FFMPEG", fps=len(frames) / seconds, macro_block_size=2
    ) as writer:
        for frame in even:
            writer.append_data(frame)
