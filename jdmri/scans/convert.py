"""From any format to one store: ``--mode=convert --input=FOLDER --output=store.h5``."""

import shutil
from pathlib import Path

import h5py
from tqdm import tqdm

from jdmri.data.formats import detect, reading, store
from jdmri.data.measurements import Entry, Measurement
from jdmri.data.references import estimate_maps, is_full
from jdmri.errors import InputError
from jdmri.runtime import files

_SOURCE = "source.json"


def convert(input: Path, output: Path) -> str:
    """Write the series of a file or folder into one store.

    Series are written one by one into a folder ``<output>.partial`` and put together at the end: after a
    kill, at any moment, the same command goes on behind the last whole series, and there is never a part of a
    store under the name ``output``.

    Args:
        input: anything that `sniff` knows.
        output: a new ``.h5``.

    Returns:
        A sentence on what was written, and the command that uses it.

    Raises:
        InputError: the input cannot be read, or the output exists.
    """
    if output.suffix != ".h5" or output.exists():
        problem = "exists already" if output.exists() else "must end in .h5"
        raise InputError(f"--output={output} {problem}; choose another name, such as store.h5.")
    if input.absolute() in output.absolute().parents:
        raise InputError(f"--output={output} lies in --input; choose a place outside of it.")
    kind = detect.sniff(input)
    entries = detect.entries(input)
    _check_names(entries, input)
    partial = _partial(input, output, kind, entries)
    parts = [partial / f"{i:05d}.h5" for i in range(len(entries))]
    try:
        _write_parts(entries, parts)
    except InputError:
        shutil.rmtree(partial)
        raise
    files.write_atomic(output, lambda path: _join(path, parts))
    shutil.rmtree(partial)
    return (
        f"{len(entries)} series of {input} ({kind}) are in {output}. To use them: python -m jdmri.main "
        f"--config=configs/cascade.py --config.data.name=store --config.data.path={output}"
    )


def _write_parts(entries: list[Entry], parts: list[Path]) -> None:
    """Write each series that is not there yet into a file of its own."""
    work = list(enumerate(zip(entries, parts, strict=True)))
    for i, (entry, part) in tqdm(work, desc="convert", unit="series", disable=None):
        if not part.exists():
            files.write_atomic(part, lambda path, i=i, entry=entry: _write(path, i, entry))


def _check_names(entries: list[Entry], source: Path) -> None:
    """Names identify series: their evaluation masks are derived from them."""
    names = [entry.name for entry in entries]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError(f"{source} holds two series called {twice[0]}; convert its folders apart.")


def _partial(source: Path, output: Path, kind: str, entries: list[Entry]) -> Path:
    """Return the folder of the parts; one that is of another or a changed source is begun anew."""
    partial = output.with_name(output.name + ".partial")
    about = {
        "input": str(source.absolute()),
        "format": kind,
        "series": [entry.name for entry in entries],
        "files": _state(source),
        "version": store.VERSION,
    }
    known = partial / _SOURCE
    if partial.exists():
        with reading.reading(known, "the record of a conversion"):
            same = known.is_file() and files.read_json(known) == about
        if not same:
            _clear(partial)
    files.write_json(known, about)
    return partial


def _state(source: Path) -> list[list]:
    """Return size and time of each file, by which a change is seen."""
    every = [source] if source.is_file() else sorted(p for p in source.rglob("*") if p.is_file())
    return [[str(p), p.stat().st_size, p.stat().st_mtime] for p in every]


def _clear(partial: Path) -> None:
    """Remove the parts of another conversion, and nothing else.

    Raises:
        InputError: the folder holds what no conversion writes.
    """
    foreign = [p.name for p in partial.iterdir() if p.suffix not in (".h5", ".json")]
    if foreign:
        raise InputError(
            f"{partial} holds {foreign[0]}; move the folder away, or choose another --output."
        )
    shutil.rmtree(partial)


def _write(path: Path, index: int, entry: Entry) -> None:
    one = entry.load()
    maps = None
    if isinstance(one, Measurement) and one.kspace.shape[1] > 1 and is_full(one):
        maps = estimate_maps(one)
    store.begin(path)
    store.write(path, index, one, maps)


def _join(path: Path, parts: list[Path]) -> None:
    store.begin(path)
    with h5py.File(path, "a") as content:
        for part in parts:
            with h5py.File(part) as one:
                (key,) = one["series"]
                one.copy(one["series"][key], content["series"], key)
