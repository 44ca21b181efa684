"""Readers: one file per format, each giving a `Dataset` of `Series`."""

from jdmri.data.formats import (
    bart,
    cmrxrecon,
    dicom,
    fastmri,
    ismrmrd,
    m4raw,
    nifti,
    npz_images,
    npz_kspace,
    phantom,
    skmtea,
    store,
)
from jdmri.data.records import READERS, Dataset, Series

__all__ = [
    "READERS",
    "Dataset",
    "Series",
    "bart",
    "cmrxrecon",
    "dicom",
    "fastmri",
    "ismrmrd",
    "m4raw",
    "nifti",
    "npz_images",
    "npz_kspace",
    "phantom",
    "skmtea",
    "store",
]
