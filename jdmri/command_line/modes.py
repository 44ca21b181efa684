"""Modes: the table from which parser, checks and ``--help`` are made.

A mode is a function ``run(config, workdir's folder, *, FLAG, …) -> text to print``; its keyword parameters
are the flags that belong to it. Each imports what it needs when it is chosen, so that all start quickly.
"""

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from jdmri.errors import InputError


class Mode(NamedTuple):
    """A row of the table.

    Attributes:
        run: the function.
        help: one line for ``--help``.
        example: what to type after ``--mode=NAME``.
        kind: of the config that it takes: ``run``, ``study``, ``search`` or ``tuning``.
        needs_config: whether ``--config`` or ``--workdir`` must be given; otherwise it is configs/default.py.
        needs: flags that must be given.
        distributed: whether several processes may share the work.
    """

    run: Callable[..., str]
    help: str
    example: str
    kind: str = "run"
    needs_config: bool = True
    needs: tuple[str, ...] = ()
    distributed: bool = False

    @property
    def flags(self) -> tuple[str, ...]:
        """The flags that belong to it, besides those of every mode."""
        return tuple(inspect.signature(self.run).parameters)[2:]


def choose(name: str) -> Mode:
    """Return the mode called ``name``.

    Raises:
        InputError: there is none.
    """
    if name not in MODES:
        raise InputError(f"--mode must be one of {', '.join(MODES)}; got {name!r}.")
    return MODES[name]


def _train(config, folder: Path, *, checkpoint, split, extend, profile) -> str:
    from jdmri.training import train

    train.train(config, folder, extend=extend, checkpoint=checkpoint or "latest", profile=profile)
    return _evaluate(config, folder, checkpoint="best", split=split)


def _evaluate(config, folder: Path, *, checkpoint, split) -> str:
    from jdmri.evaluation import evaluate, summary

    which = checkpoint or "best"
    target, result = evaluate.evaluate(config, folder, split=split, checkpoint=which)
    return f"\n{summary.table(result)}\n\nEverything is in {target}; open {target / 'report.html'}."


def _study(config, folder: Path, *, shard, dry_run) -> str:
    from jdmri.studies import study

    return study.study(config, folder, share=shard, dry_run=dry_run)


def _search(config, folder: Path) -> str:
    from jdmri.studies import search

    return search.search(config, folder)


def _reader(config, folder: Path, *, output, num_series, answers) -> str:
    from jdmri.studies import reading
    from jdmri.studies.reading import study_cases

    target = Path(output or folder / "reader")
    if answers:
        return reading.evaluate_answers(target, [Path(name) for name in answers])
    cases = study_cases.study_cases(config, folder, num_series)
    return reading.prepare(cases, target, seed=config.seeds[0])


def _find_lr(config, folder: Path) -> str:
    from jdmri.studies import find_lr

    return find_lr.find(config, folder)


def _tune(config, folder: Path) -> str:
    from jdmri.studies import tune

    return tune.tune(config, folder)


def _phantom(config, folder: Path, *, output, num_series) -> str:
    from jdmri.scans import phantoms

    return phantoms.export(config, Path(output), num_series)


def _doctor(config, folder: Path, *, input) -> str:
    from jdmri.scans import doctor

    return doctor.examine(Path(input))


def _convert(config, folder: Path, *, input, output) -> str:
    from jdmri.scans import convert

    return convert.convert(Path(input), Path(output))


def _reconstruct(config, folder: Path, *, workdir, checkpoint, input, output, method) -> str:
    from jdmri.scans import reconstruct

    if workdir and method:
        raise InputError(
            "--method goes without a workdir, whose network would be used; remove it or --workdir."
        )
    return reconstruct.reconstruct_scan(
        Path(input),
        Path(output),
        folder=folder if workdir else None,
        method=method or "cg_sense",
        which=checkpoint or "best",
    )


_SCAN = {"needs_config": False, "needs": ("input", "output")}
MODES = {
    "train": Mode(_train, "Train, then evaluate on the test split; again: resume.", "--config=configs/demo.py", distributed=True),
    "evaluate": Mode(_evaluate, "Restore the best checkpoint and evaluate it.", "--workdir=runs/demo", distributed=True),
    "study": Mode(_study, "Variants × seeds, statistics, a page.", "--config=configs/studies/losses.py:quick", kind="study"),
    "search": Mode(_search, "Hyper-parameters, with Optuna.", "--config=configs/studies/search.py", kind="search"),
    "reader": Mode(_reader, "A blinded reading of a study; with --answers, its analysis.", "--workdir=runs/studies/losses-quick", kind="study"),
    "find_lr": Mode(_find_lr, "Learning-rate range test: a curve, nothing trained.", "--config=configs/demo.py"),
    "tune": Mode(_tune, "Parameters of the methods without training.", "--config=configs/classical.py", kind="tuning"),
    "phantom": Mode(_phantom, "Pictures of synthetic hearts; as FILE.npz or FILE.h5, data.", "--output=FOLDER", needs_config=False, needs=("output",)),
    "doctor": Mode(_doctor, "What a file or folder holds, and how to use it.", "--input=SCAN", needs_config=False, needs=("input",)),
    "convert": Mode(_convert, "Any format into one file.", "--input=FOLDER --output=store.h5", **_SCAN),
    "reconstruct": Mode(_reconstruct, "Reconstruct a scan by a method, or by the network of --workdir.", "--input=SCAN --output=FILE --method=cg_sense", distributed=True, **_SCAN),
}  # fmt: skip
