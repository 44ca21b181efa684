"""The phantom as a data set or a gallery on disk: ``--mode=phantom --output=…``."""

from collections.abc import Iterator
from pathlib import Path

import h5py
import jax
import numpy as np
from tqdm import tqdm

from jdmri import phantom
from jdmri.errors import InputError
from jdmri.phantom import Scan
from jdmri.runtime import files
from jdmri.scans import phantom_gallery
from jdmri.training.workdir import Config


def export(config: Config, output: Path, num_series: int) -> str:
    """Write phantoms as ``config.data`` describes them.

    Args:
        config: ``data.num_frames``, ``matrix``, ``num_coils`` and ``seed`` count.
        output: ``FILE.npz`` or ``FILE.h5``: a data set; otherwise a folder for a gallery.
        num_series: one subject each.

    Returns:
        A sentence that says what was written.

    Raises:
        InputError: the output exists, or a size is impossible.
    """
    if num_series < 1:
        raise InputError(f"--num_series must be 1 or more, got {num_series}.")
    if output.exists() and (output.is_file() or any(output.iterdir())):
        raise InputError(f"{output} exists already; choose another --output.")
    scans = draw(config, num_series)
    if output.suffix == ".npz":
        files.write_atomic(output, lambda path: _write_npz(path, scans, num_series))
    elif output.suffix == ".h5":
        files.write_atomic(output, lambda path: _write_h5(path, scans, num_series))
    elif output.suffix:
        raise InputError(f"--output={output} must be a folder, or end in .npz or .h5.")
    else:
        phantom_gallery.draw(output, scans, num_series)
    return f"{num_series} synthetic subjects are in {output}."


def draw(config: Config, num_series: int) -> Iterator[Scan]:
    """Simulate subjects one after the other, with a progress bar; the arrays are NumPy's."""
    data, key = config.data, jax.random.key(config.data.seed)
    size = {"num_frames": data.num_frames, "matrix": tuple(data.matrix)}
    for i in tqdm(range(num_series), desc="phantom", unit="subject"):
        scan = phantom.simulate(jax.random.fold_in(key, i), num_coils=data.num_coils, **size)
        yield jax.tree.map(np.asarray, scan)


def _record(scan: Scan, i: int) -> dict[str, np.ndarray]:
    """What is stored of one subject; the image axes are those of the seeds' ``cine.npz``."""
    record = {
        "dataset": scan.cine,
        "subject": np.array(f"subject-{i:04d}"),
        "labels": scan.labels,
        "volume_ml": scan.volume,
        "pixel_mm": scan.pixel,
        "field_tesla": scan.subject.sequence.field,
    }
    return record | ({"maps": scan.maps} if len(scan.maps) > 1 else {})


def _write_npz(path: Path, scans: Iterator[Scan], num_series: int) -> None:
    records = [_record(scan, i) for i, scan in enumerate(scans)]
    arrays = {name: np.stack([r[name] for r in records]) for name in records[0]}
    np.savez(path, generator_version=phantom.GENERATOR_VERSION, **arrays)


def _write_h5(path: Path, scans: Iterator[Scan], num_series: int) -> None:
    """Write series by series: the data set need not fit in memory."""
    with h5py.File(path, "w") as store:
        store.attrs["generator_version"] = phantom.GENERATOR_VERSION
        store.attrs["axes"] = "series, frame, ky, kx; phase encoding along axis 2"
        for i, scan in enumerate(scans):
            for name, value in _record(scan, i).items():
                if name not in store:
                    text = value.dtype.kind == "U"
                    dtype = h5py.string_dtype() if text else value.dtype
                    store.create_dataset(name, (num_series, *value.shape), dtype)
                store[name][i] = str(value) if value.dtype.kind == "U" else value
