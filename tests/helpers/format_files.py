"""Writes one small known scan in each format, with the format's own library."""

import h5py
import numpy as np
import pytest

FRAMES, COILS, SLICES, KY, KX = 4, 3, 2, 12, 10  # all different: a swapped axis must fail


def scan(ky=KY, kx=KX, coils=COILS, frames=FRAMES, slices=SLICES, seed=0):
    """Draw k-space complex64 ``[slice, frame, coil, ky, kx]`` with a strong DC."""
    rng = np.random.default_rng(seed)
    shape = (slices, frames, coils, ky, kx)
    kspace = rng.normal(size=shape) + 1j * rng.normal(size=shape)
    kspace[..., ky // 2, kx // 2] += 50
    return kspace.astype(np.complex64)


def undersample(kspace, every=3):
    """Keep every third line, another one in each frame, and two in the middle."""
    frame, line = np.ogrid[: kspace.shape[1], : kspace.shape[3]]
    keep = (line - frame) % every == 0
    keep |= abs(line - kspace.shape[3] // 2) < 2
    return kspace * keep[None, :, None, :, None], keep


def write_bart(path, kspace):
    """``[slice, frame, coil, ky, kx]`` as NAME.cfl and NAME.hdr."""
    slices, frames, coils, ky, kx = kspace.shape
    sizes = [kx, ky, 1, coils, 1, 1, 1, 1, 1, 1, frames, 1, 1, slices, 1, 1]
    data = kspace.transpose(4, 3, 2, 1, 0).reshape(sizes)
    path.with_suffix(".hdr").write_text("# Dimensions\n" + " ".join(map(str, sizes)) + "\n")
    data.astype("<c8").ravel(order="F").tofile(path.with_suffix(".cfl"))
    return path.with_suffix(".cfl")


def write_mat(path, key, array, userblock=True):
    """Write a complex array with MATLAB's axes as MATLAB does: axes reversed, a compound, a user block."""
    path.parent.mkdir(parents=True, exist_ok=True)
    stored = np.empty(array.shape[::-1], [("real", "<f4"), ("imag", "<f4")])
    stored["real"], stored["imag"] = array.T.real, array.T.imag
    with h5py.File(path, "w", userblock_size=512 if userblock else 0) as content:
        content[key] = stored
    if userblock:
        with path.open("r+b") as stream:
            stream.write(b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(124) + b"\x00\x02IM")
    return path


def to_matlab(kspace):
    """``[slice, frame, coil, ky, kx]`` to CMRxRecon's ``[nx, ny, nc, nz, nt]``."""
    return kspace.transpose(4, 3, 2, 0, 1)


def oversample(kspace, factor=2):
    """Extend the field of view along x: ``[..., kx]`` to ``[..., factor · kx]``."""
    kx = kspace.shape[-1]
    shift = {"axes": -1}
    with np.errstate(invalid="ignore"):  # the infinite values of hostile files
        return _oversample(kspace, kx, shift, factor)


def _oversample(kspace, kx, shift, factor):
    image = np.fft.fftshift(np.fft.ifft(np.fft.ifftshift(kspace, **shift), norm="ortho"), **shift)
    wide = np.zeros((*kspace.shape[:-1], factor * kx), complex)
    start = factor * kx // 2 - kx // 2
    wide[..., start : start + kx] = image
    return np.fft.fftshift(np.fft.fft(np.fft.ifftshift(wide, **shift), norm="ortho"), **shift)


def ismrmrd_header(
    encoded, wanted, centre, phases, trajectory="CARTESIAN", limits=True, subject="", pilot=0
):
    """Build the XML header with the package's own classes; sizes are (y, x), one pixel is 1.5 mm x 2 mm."""
    xsd = pytest.importorskip("ismrmrd").xsd
    spaces = []
    for matrix in (encoded, wanted):
        size = xsd.matrixSizeType(x=matrix[1], y=matrix[0], z=1)
        field = xsd.fieldOfViewMm(x=2.0 * matrix[1], y=1.5 * matrix[0], z=8.0)
        spaces.append(xsd.encodingSpaceType(matrixSize=size, fieldOfView_mm=field))
    limit = lambda top, middle=0: xsd.limitType(minimum=0, maximum=top, center=middle)
    known = xsd.encodingLimitsType()
    if limits:
        known.kspace_encoding_step_1 = limit(encoded[0] - 1, centre)
        known.phase = limit(phases - 1)
    encoding = xsd.encodingType(
        encodedSpace=spaces[0],
        reconSpace=spaces[1],
        trajectory=xsd.trajectoryType[trajectory],
        encodingLimits=known,
    )
    system = xsd.acquisitionSystemInformationType(systemFieldStrength_T=1.5, receiverChannels=COILS)
    conditions = xsd.experimentalConditionsType(H1resonanceFrequency_Hz=63500000)
    header = xsd.ismrmrdHeader(
        experimentalConditions=conditions, acquisitionSystemInformation=system, encoding=[encoding]
    )
    if pilot:
        one = xsd.userParameterLongType(name="PilotTone", value=pilot)
        header.userParameters = xsd.userParametersType(userParameterLong=[one])
    if subject:
        header.subjectInformation = xsd.subjectInformationType(patientID=subject)
    return header.toXML("utf-8")


def write_ismrmrd(
    path,
    kspace,
    *,
    first_line=0,
    first_sample=0,
    lines=None,
    averages=1,
    noise=True,
    factor=2,
    **header,
):
    """``[slice, frame, coil, ky, kx]`` as readouts in a shuffled order, with ``factor``-fold oversampling.

    ``first_line`` lines (partial Fourier) and ``first_sample`` samples (asymmetric echo) are not measured;
    ``lines`` is bool ``[frame, ky]``.
    """
    package = pytest.importorskip("ismrmrd")
    slices, frames, _, ky, kx = kspace.shape
    readouts = oversample(kspace, factor).astype(np.complex64)
    about = {
        "encoded": (ky, factor * kx),
        "wanted": (ky, kx),
        "centre": ky // 2 - first_line,
        "phases": frames,
    }
    rng = np.random.default_rng(1)
    wanted = [
        (s, f, y, a)
        for s in range(slices)
        for f in range(frames)
        for y in range(first_line, ky)
        for a in range(averages)
        if lines is None or lines[f, y]
    ]
    with package.Dataset(str(path), "dataset", create_if_needed=True) as dataset:
        dataset.write_xml_header(ismrmrd_header(**about | header))
        if noise:
            one = package.Acquisition.from_array(
                np.full((kspace.shape[2], 16), 1 + 2j, np.complex64)
            )
            one.set_flag(package.ACQ_IS_NOISE_MEASUREMENT)
            dataset.append_acquisition(one)
        for i in rng.permutation(len(wanted)):
            s, f, y, a = wanted[i]
            sign = (-1) ** a if averages % 2 == 0 else 0  # averages differ, their mean is the data
            data = readouts[s, f, :, y, first_sample:] * np.complex64(1 + 0.1 * sign)
            one = package.Acquisition.from_array(np.ascontiguousarray(data))
            one.idx.slice, one.idx.phase, one.idx.average = s, f, a
            one.idx.kspace_encode_step_1 = y - first_line
            one.center_sample = factor * kx // 2 - first_sample
            dataset.append_acquisition(one)
    return path


def write_fastmri(path, kspace, header=True, patient="p1"):
    """``[slice, 1, coil, ky, kx]`` as fastMRI: readout first, twofold oversampled."""
    wide = oversample(kspace)[:, 0] if header else kspace[:, 0]
    with h5py.File(path, "w") as content:
        content["kspace"] = wide.swapaxes(-1, -2).astype(np.complex64)
        content.attrs["acquisition"] = "AXT2"
        if patient:
            content.attrs["patient_id"] = patient
        if header:
            ky, kx = kspace.shape[-2:]
            about = ismrmrd_header((ky, 2 * kx), (ky, kx), ky // 2, 1)
            content["ismrmrd_header"] = about
    return path


def write_nifti(path, images, phase_axis=None):
    """``[slice, frame, x, y]`` as ``[x, y, slice, frame]`` with 1.5 mm x 2.5 mm pixels."""
    nibabel = pytest.importorskip("nibabel")
    path.parent.mkdir(parents=True, exist_ok=True)
    image = nibabel.Nifti1Image(np.ascontiguousarray(images.transpose(2, 3, 0, 1)), np.eye(4))
    image.header.set_zooms((1.5, 2.5, 8.0, 40.0))
    if phase_axis is not None:
        image.header.set_dim_info(freq=1 - phase_axis, phase=phase_axis, slice=2)
    nibabel.save(image, path)
    return path


def _dicom_base(rows, columns, patient):
    pydicom = pytest.importorskip("pydicom")
    from pydicom.dataset import FileDataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage

    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = MRImageStorage
    meta.MediaStorageSOPInstanceUID = pydicom.uid.generate_uid()
    one = FileDataset(None, {}, file_meta=meta, preamble=b"\x00" * 128)
    one.SOPClassUID, one.SOPInstanceUID = MRImageStorage, meta.MediaStorageSOPInstanceUID
    one.SeriesInstanceUID, one.PatientID, one.Modality = "1.2.3", patient, "MR"
    one.Rows, one.Columns = rows, columns
    one.SamplesPerPixel, one.PhotometricInterpretation = 1, "MONOCHROME2"
    one.BitsAllocated = one.BitsStored = 16
    one.HighBit, one.PixelRepresentation = 15, 0
    one.MagneticFieldStrength = 1.5
    return one


def write_dicom(folder, images, *, times=True, direction="COL", patient="Miller"):
    """uint16 ``[slice, frame, y, x]`` as one file an image, under names in a random order."""
    folder.mkdir(parents=True, exist_ok=True)
    order = np.random.default_rng(2).permutation(images.shape[0] * images.shape[1])
    for i, number in enumerate(order):
        s, f = divmod(int(number), images.shape[1])
        one = _dicom_base(*images.shape[2:], patient)
        one.PixelSpacing, one.RescaleSlope, one.RescaleIntercept = [1.5, 2.5], 2, 1
        one.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
        one.ImagePositionPatient = [0, 0, 8.0 * s]
        one.InstanceNumber = images.shape[1] - f if times else f + 1  # must not win over the time
        if times:
            one.TriggerTime = 40.0 * f
        if direction:
            one.InPlanePhaseEncodingDirection = direction
        one.PixelData = np.ascontiguousarray(images[s, f]).tobytes()
        one.save_as(folder / f"IM{i:04d}", enforce_file_format=True)
    return folder


def write_enhanced_dicom(path, images, patient="Miller"):
    """uint16 ``[slice, frame, y, x]`` as one multi-frame file, frames in reverse order of time."""
    pytest.importorskip("pydicom")
    from pydicom.dataset import Dataset
    from pydicom.sequence import Sequence

    one = _dicom_base(*images.shape[2:], patient)
    nested = lambda **fields: Sequence([_item(Dataset(), fields)])
    shared = Dataset()
    shared.PlaneOrientationSequence = nested(ImageOrientationPatient=[1, 0, 0, 0, 1, 0])
    shared.PixelMeasuresSequence = nested(PixelSpacing=[1.5, 2.5])
    shared.PixelValueTransformationSequence = nested(RescaleSlope=2, RescaleIntercept=1)
    shared.MRFOVGeometrySequence = nested(InPlanePhaseEncodingDirection="COLUMN")
    frames, pixels = [], []
    for s in range(images.shape[0]):
        for f in reversed(range(images.shape[1])):
            group = Dataset()
            group.PlanePositionSequence = nested(ImagePositionPatient=[0, 0, 8.0 * s])
            group.CardiacSynchronizationSequence = nested(NominalCardiacTriggerDelayTime=40.0 * f)
            frames.append(group)
            pixels.append(images[s, f])
    one.SharedFunctionalGroupsSequence = Sequence([shared])
    one.PerFrameFunctionalGroupsSequence = Sequence(frames)
    one.NumberOfFrames, one.InstanceNumber = len(frames), 1
    one.PixelData = np.ascontiguousarray(np.stack(pixels)).tobytes()
    one.save_as(path, enforce_file_format=True)
    return path


def _item(dataset, fields):
    for name, value in fields.items():
        setattr(dataset, name, value)
    return dataset


def pictures(slices=SLICES, frames=FRAMES, y=KY, x=KX):
    """Draw uint16 images ``[slice, frame, y, x]``."""
    rng = np.random.default_rng(3)
    return rng.integers(1, 4000, (slices, frames, y, x)).astype(np.uint16)


def write_skmtea(path, kspace, ellipse=False):
    """``[x, echo, coil, ky, kz]`` as SKM-TEA's raw files (DATASET.md): ``[x, ky, kz, echo, coil]``, zero-padded."""
    path.parent.mkdir(parents=True, exist_ok=True)
    stored = np.pad(kspace, [(0, 0)] * 3 + [(2, 2), (4, 4)])
    if ellipse:
        radii = [(np.arange(n) - (n - 1) / 2) / (n / 2) for n in kspace.shape[-2:]]
        outside = np.add.outer(radii[0] ** 2, radii[1] ** 2) > 1
        stored[..., 2:-2, 4:-4][..., outside] = 0
    stored = stored.transpose(0, 3, 4, 1, 2)
    x, ky, kz, echoes, coils = stored.shape
    with h5py.File(path, "w") as content:
        content["kspace"] = stored
        content["maps"] = np.ones((x, ky, kz, coils, 1), np.complex64)
        content["target"] = np.ones((x, ky, kz, echoes, 1), np.complex64)
        content["masks/poisson_6.0x"] = np.ones((ky - 4, kz - 8), bool)
    return path
