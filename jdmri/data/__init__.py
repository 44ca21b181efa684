"""Readers: one file per format, each giving a `Dataset` of `Series`."""

from jdmri.data import formats
from jdmri.data.records import READERS, Dataset, Series

__all__ = ["READERS", "Dataset", "Series", "formats"]
