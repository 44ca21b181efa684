"""The embedded default data: synthetic beating hearts, generated once and cached on disk."""

import hashlib
import json
import os
from pathlib import Path

import jax
import numpy as np
from tqdm import tqdm

from jdmri.data.records import READERS, Dataset, Facts, Series
from jdmri.errors import InputError
from jdmri.phantom import GENERATOR_VERSION, simulate
from jdmri.runtime import files
from jdmri.runtime.log import log

_WARNING = (
    "synthetic: painted at twice the resolution and cropped in k-space; k-space is E(cine) exactly, "
    "which for several coils is an inverse crime"
)


@READERS.register("phantom")
def phantom(
    *,
    num_series: int,
    num_frames: int,
    matrix: tuple[int, int],
    num_coils: int = 1,
    seed: int = 0,
    cache_dir: str = "",
) -> Dataset:
    """Generate ``num_series`` subjects, or read them from the cache.

    Args:
        num_series: one subject each; a larger set begins with the subjects of a smaller one.
        num_frames: over one heart cycle.
        matrix: (y, x).
        num_coils: 1 or more simulated coils.
        seed: of the population.
        cache_dir: "" is ``jdmri/phantom`` in the user's cache folder.

    Raises:
        InputError: an impossible size.
    """
    if num_series < 1 or num_frames < 2 or num_coils < 1 or len(matrix) != 2 or min(matrix) < 8:
        raise InputError(
            f"a phantom needs num_series >= 1, num_frames >= 2, num_coils >= 1 and matrix=(y, x) of 8 or more; "
            f"got {num_series}, {num_frames}, {num_coils}, {tuple(matrix)}."
        )
    settings = {"frames": num_frames, "matrix": list(matrix), "coils": num_coils, "seed": seed}
    settings |= {"series": num_series, "version": GENERATOR_VERSION}
    path = _cache_folder(cache_dir) / f"{_digest(json.dumps(settings).encode())}.npz"
    arrays = _read_cache(path) or _generate_and_keep(path, settings)
    series = tuple(
        Series(cine, maps, f"series-{i:04d}", f"subject-{i:04d}", metadata=known)
        for i, (cine, maps, known) in enumerate(zip(*arrays, strict=True))
    )
    facts = Facts(
        source=f"synthetic phantom, generator version {GENERATOR_VERSION}",
        complex=True,
        subjects_known=True,
        coils=(num_coils,),
        maps="none" if num_coils == 1 else "given",
        noise_free_reference=True,
        warnings=(_WARNING,),
    )
    return Dataset(series, "phantom", facts)


def _cache_folder(cache_dir: str) -> Path:
    if cache_dir:
        return Path(cache_dir)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "jdmri" / "phantom"


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]


def _read_cache(path: Path) -> tuple[np.ndarray, np.ndarray, list[dict]] | None:
    """Read the arrays, if the file is there and undamaged (zip files carry checksums)."""
    if not path.is_file():
        return None
    try:
        with np.load(path, allow_pickle=False) as loaded:
            return loaded["cine"], loaded["maps"], json.loads(str(loaded["metadata"]))
    except Exception as error:
        log.warning("The cached phantom %s is damaged (%s): generating it again.", path, error)
        return None


def _generate_and_keep(path: Path, settings: dict) -> tuple[np.ndarray, np.ndarray, list[dict]]:
    cine, maps, metadata = _generate(settings)
    texts = {"settings": json.dumps(settings), "metadata": json.dumps(metadata)}
    write = lambda temporary: np.savez(temporary, cine=cine, maps=maps, **texts)
    try:
        files.write_atomic(path, write)
    except OSError as error:
        log.warning(
            "Cannot cache the phantom in %s (%s): going on without.", path.parent, error.strerror
        )
    return cine, maps, metadata


def _generate(settings: dict) -> tuple[np.ndarray, np.ndarray, list[dict]]:
    key = jax.random.key(settings["seed"])
    size = {"num_frames": settings["frames"], "matrix": tuple(settings["matrix"])}
    draw = lambda i: simulate(jax.random.fold_in(key, i), num_coils=settings["coils"], **size)
    drawn = []
    for i in tqdm(range(settings["series"]), desc="phantom", unit="subject"):
        scan = draw(i)
        drawn.append((*jax.device_get((scan.cine, scan.maps)), _metadata(scan.subject)))
    cine, maps, metadata = zip(*drawn, strict=True)
    return np.stack(cine), np.stack(maps), list(metadata)


def _metadata(subject) -> dict[str, str]:
    """Field strength in T, and whether the ventricle is dilated or hypertrophic."""
    disease = "diseased" if subject.diseased else "healthy"
    return {"field": f"{float(subject.sequence.field):g}", "heart": disease}
