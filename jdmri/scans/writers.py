"""Writers of reconstructed scans: the name of the output says which."""

import functools
import gzip
from collections.abc import Callable, Sequence
from pathlib import Path

import h5py
import numpy as np

from jdmri.data.formats import detect, reading
from jdmri.data.measurements import Measurement
from jdmri.errors import InputError
from jdmri.report.figures import films
from jdmri.runtime import files
from jdmri.scans import dicom_series

Writer = Callable[[Path, Sequence[np.ndarray], Sequence[Measurement]], None]


def choose(output: Path, source: Path | None = None, method: str = "") -> Writer:
    """Return the writer for an output's name.

    Args:
        output: a file; for DICOM a folder called ``NAME.dicom``.
        source: the scan, whose patient, study and place DICOM images keep.
        method: names the reconstruction in DICOM images.

    Raises:
        InputError: no writer has that name, the output is there already, or the source cannot be read.
    """
    writer = next((w for s, w in _WRITERS.items() if output.name.lower().endswith(s)), None)
    if writer is None:
        hint = "; DICOM is a folder, NAME.dicom" if output.suffix == ".dcm" else ""
        raise InputError(f"--output={output.name} must end in {', '.join(_WRITERS)}{hint}.")
    if output.exists():
        raise InputError(f"{output} exists; choose another --output, or move it away.")
    if writer is dicom_series.write:
        reading.require("pydicom")
        origins = detect.origins(source) if source else {}
        return functools.partial(writer, origins=origins, method=method)
    return writer


def _npz(path: Path, cines: Sequence[np.ndarray], scans: Sequence[Measurement]) -> None:
    """One complex array ``[series, frame, x, y]`` as the npz reader takes it, phase encoding along axis 2.

    Slices of one shape only.
    """
    _same_shape(cines, path)
    labels = {"subject": [s.subject for s in scans], "slice": [s.name for s in scans]}
    files.write_atomic(
        path, lambda temporary: np.savez(temporary, dataset=np.stack(cines), **labels)
    )


def _h5(path: Path, cines: Sequence[np.ndarray], scans: Sequence[Measurement]) -> None:
    """One complex data set ``[frame, y, x]`` a slice, with its geometry as attributes."""

    def write(temporary: Path) -> None:
        with h5py.File(temporary, "w") as file:
            for cine, scan in zip(cines, scans, strict=True):
                data = file.create_dataset(scan.name, data=cine, compression="gzip")
                data.attrs["axes"] = "frame, y (phase encoding), x (readout)"
                data.attrs["subject"] = scan.subject
                if scan.pixel_spacing:
                    data.attrs["pixel_spacing_mm"] = scan.pixel_spacing
                if scan.frame_time:
                    data.attrs["frame_time_ms"] = scan.frame_time

    files.write_atomic(path, write)


def _nifti(path: Path, cines: Sequence[np.ndarray], scans: Sequence[Measurement]) -> None:
    """Magnitudes float32 ``[x, y, slice, frame]``; spacing where the scan says it, else 1 mm."""
    try:
        import nibabel
    except ImportError as error:
        raise InputError("NIfTI needs nibabel; type pip install 'jdmri[io]'.") from error
    _same_shape(cines, path)
    array = np.abs(np.stack(cines)).transpose(3, 2, 0, 1).astype(np.float32)
    spacing = scans[0].pixel_spacing or (1.0, 1.0)
    image = nibabel.Nifti1Image(array, np.diag([spacing[1], spacing[0], 1.0, 1.0]))
    image.header.set_xyzt_units("mm", "msec")
    image.header.set_zooms((spacing[1], spacing[0], 1.0, scans[0].frame_time or 1.0))
    content = gzip.compress(image.to_bytes()) if path.suffix == ".gz" else image.to_bytes()
    files.write_atomic(path, lambda temporary: temporary.write_bytes(content))


def _film(path: Path, cines: Sequence[np.ndarray], scans: Sequence[Measurement]) -> None:
    """All slices side by side."""
    _same_shape(cines, path)
    frames = films.strip({s.name: cine for s, cine in zip(scans, cines, strict=True)})
    times = [s.frame_time for s in scans if s.frame_time]
    films.save(path, frames, times[0] * len(frames) / 1000 if times else 1.0)


def _same_shape(cines: Sequence[np.ndarray], path: Path) -> None:
    shapes = sorted({c.shape for c in cines})
    if len(shapes) > 1:
        raise InputError(
            f"slices of different shapes {shapes} do not fit one {path.suffix}; write .h5 instead."
        )


_WRITERS: dict[str, Callable] = {
    ".npz": _npz, ".h5": _h5, ".nii.gz": _nifti, ".nii": _nifti, ".gif": _film, ".mp4": _film,
    ".dicom": dicom_series.write,
}  # fmt: skip
