"""Whom, where and when a slice shows, as its file says: for derived DICOM images alone.

This stays apart from `Measurement`, whose fields go into stores, cards and reports: those name nobody.
"""

import dataclasses
from collections.abc import Mapping


@dataclasses.dataclass(frozen=True)
class Origin:
    """What one slice's file says beyond its data; what it does not say is missing here.

    Attributes:
        tags: patient, study, device and sequence, as DICOM keyword → text.
        center: (x, y, z) in mm of the pixel (N_y // 2, N_x // 2), in DICOM's patient coordinates (LPS).
        directions: unit vectors along which x and y of the image grow, six numbers.
        times: ms from the trigger to each frame.
    """

    tags: Mapping[str, str] = dataclasses.field(default_factory=dict)
    center: tuple[float, ...] | None = None
    directions: tuple[float, ...] | None = None
    times: tuple[float, ...] = ()
