"""Making a reader study: the page for readers and, apart from it, the key."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from jdmri.errors import InputError
from jdmri.runtime import files
from jdmri.studies.reading import (
    blinding,
    case,
    images,
    key,
    sheet,
)
from jdmri.studies.reading.case import Case


def make(folder: Path, cases: Sequence[Case], *, seed: int) -> Path:
    """Write ``reader.html`` and ``key/key.json``.

    The page is one file that needs no network; nothing in it says which method is which.

    Args:
        folder: of the study; it must not hold one yet.
        cases: what is shown; every case has the same methods.
        seed: of the order of cases and candidates, 0 or more.

    Returns:
        The page.

    Raises:
        InputError: the folder holds a study, or the cases cannot be shown.
    """
    if (folder / key.PAGE).exists() or (folder / key.PATH).exists():
        raise InputError(f"{folder} holds a reader study already; choose another folder.")
    if seed < 0:
        raise InputError(f"the seed must be 0 or more, got {seed}.")
    case.check(cases)
    grays = {one.name: images.gray(one) for one in cases}
    pictures = [frames for series in grays.values() for frames in series.values()]
    # A seed alone is guessed at once (it is 0), so the order depends on the pictures too.
    rng = np.random.default_rng([seed, images.digest(pictures)])
    study = rng.bytes(4).hex()
    shown = blinding.plan(cases, rng)
    page = sheet.build(study, shown, grays)
    key.write(folder, key.Key(study, seed, key.fingerprint(page), shown))
    path = folder / key.PAGE
    files.write_atomic(path, lambda temporary: temporary.write_text(page, "utf-8", newline="\n"))
    return path


def prepare(cases: Sequence[Case], folder: Path, seed: int) -> str:
    """Make a study and say in a sentence for the terminal what to do with it.

    Raises:
        InputError: see `make`.
    """
    path = make(folder, cases, seed=seed)
    size = path.stat().st_size / 2**20
    again = blinding.num_repeats(len(cases))
    return (
        f"{path} ({size:.1f} MB) shows {len(cases)} cases of {len(cases[0].candidates)} methods"
        f"{f', {again} of them twice' if again else ''}: give it to the readers, who open it in a browser and "
        f"send back a CSV file each. {folder / key.PATH} says which letter is which method: keep it from them."
    )
