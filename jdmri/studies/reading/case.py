"""What is shown to readers: one series as several methods reconstructed it."""

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np

from jdmri.errors import InputError

MAX_CANDIDATES = 9  # one key of the keyboard a rank


@dataclasses.dataclass(frozen=True)
class Case:
    """One series with its reconstructions.

    Attributes:
        name: of the series; only the key knows it.
        subject: whose it is: the unit of the statistics.
        reference: ``[frame, y, x]``, real or complex, shown openly as the gold standard; or none.
        candidates: method name → ``[frame, y, x]``, real or complex, in the units of the reference.
    """

    name: str
    subject: str
    reference: np.ndarray | None
    candidates: Mapping[str, np.ndarray]

    @property
    def arrays(self) -> dict[str | None, np.ndarray]:
        """All series in an order that does not depend on the mapping; the reference is under None."""
        shown = {} if self.reference is None else {None: self.reference}
        return shown | {name: self.candidates[name] for name in sorted(self.candidates)}


def check(cases: Sequence[Case]) -> None:
    """Refuse what cannot be shown or compared.

    Raises:
        InputError: no cases, a name twice, other methods than in the first case, too few or too many of
            them, or series that differ in shape, are empty or are not finite.
    """
    if not cases:
        raise InputError("a reader study needs at least 1 case, got none.")
    methods, seen = set(cases[0].candidates), set()
    if not 2 <= len(methods) <= MAX_CANDIDATES:
        raise InputError(
            f"a reader study compares 2 to {MAX_CANDIDATES} methods, got {len(methods)}: {sorted(methods)}."
        )
    for case in cases:
        if case.name in seen:
            raise InputError(f"case {case.name!r} comes twice; give every case its own name.")
        seen.add(case.name)
        if set(case.candidates) != methods:
            raise InputError(
                f"every case must show the methods {sorted(methods)}; "
                f"case {case.name!r} has {sorted(case.candidates)}."
            )
        _check_arrays(case)


def _check_arrays(case: Case) -> None:
    shape = next(iter(case.arrays.values())).shape
    for name, array in case.arrays.items():
        where = f"case {case.name!r}, {name or 'reference'}"
        if array.ndim != 3 or array.shape != shape or not array.size:
            raise InputError(
                f"{where}: all series of a case must have one shape [frame, y, x], "
                f"got {list(array.shape)} beside {list(shape)}."
            )
        if not np.isfinite(array).all():
            raise InputError(f"{where}: values must be finite, got NaN or infinity.")
