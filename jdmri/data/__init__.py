"""Readers: one file per format, each giving a `Dataset` of `Series`."""

from jdmri.data import npz, phantom
from jdmri.data.series import READERS, Dataset, Series

__all__ = ["READERS", "Dataset", "Series", "npz", "phantom"]
