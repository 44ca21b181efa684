"""An evaluation as one HTML file that needs no network: cine players, tables, figures, the card."""

from jdmri.report.page.content import Page, Table, View
from jdmri.report.page.document import MAX_BYTES, write

__all__ = ["MAX_BYTES", "Page", "Table", "View", "write"]
