"""What a study consists of: one run for every variant, seed and fold, each an ordinary workdir."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ml_collections import ConfigDict

from jdmri.errors import InputError
from jdmri.training import build


@dataclasses.dataclass(frozen=True)
class Run:
    """One training with its evaluation.

    Attributes:
        variant: a name in ``config.variants``.
        seed: of everything but the split and the evaluation's masks and noise.
        fold: of a k-fold split; None for a holdout split.
        config: the whole config of the run.
    """

    variant: str
    seed: int
    fold: int | None
    config: ConfigDict

    @property
    def name(self) -> str:
        """Return e.g. ``l1/seed-0`` or ``l1/seed-0-fold-3``: the folder below ``runs/``."""
        fold = "" if self.fold is None else f"-fold-{self.fold}"
        return f"{self.variant}/seed-{self.seed}{fold}"

    def workdir(self, study: Path) -> Path:
        """Return the run's workdir."""
        return study / "runs" / self.name

    def is_finished(self, study: Path) -> bool:
        """Whether its evaluation is complete; that file is the last with numbers."""
        return (self.workdir(study) / "evaluation" / "test" / "summary.json").is_file()


@dataclasses.dataclass(frozen=True)
class Study:
    """A comparison of variants.

    Attributes:
        question: one sentence, the title of the page.
        metric: of the tests, the figures, and the choice of series to show.
        metrics: columns of the table.
        seeds: of the runs.
        runs: seeds outermost, so that an unfinished study compares all variants.
        settings: the whole config, as it is stored.
    """

    question: str
    metric: str
    metrics: tuple[str, ...]
    seeds: tuple[int, ...]
    runs: tuple[Run, ...]
    settings: Mapping[str, Any]


def plan(config: ConfigDict) -> Study:
    """Plan the runs of a study.

    Args:
        config: of a study (`configs/studies/default.py`).

    Raises:
        InputError: no variants or seeds, or a variant changes a field that does not exist.
    """
    variants, seeds = config.variants.to_dict(), tuple(config.seeds)
    if not variants or not seeds or len(set(seeds)) < len(seeds):
        raise InputError(
            f"a study needs variants and distinct seeds; got {list(variants)} and {list(seeds)}."
        )
    configs = {name: _vary(config.base, name, changes) for name, changes in variants.items()}
    runs = tuple(
        Run(name, seed, fold, _of_run(configs[name], seed, fold))
        for seed in seeds
        for fold in _folds(config.base)
        for name in variants
    )
    metrics = tuple(config.metrics)
    return Study(config.question, config.metric, metrics, seeds, runs, config.to_dict())


def override(config: ConfigDict, changes: Mapping[str, Any], where: str = "") -> None:
    """Change fields of ``config``; a section with another ``name`` is replaced, others are merged.

    Raises:
        InputError: there is no such field.
    """
    for field, value in changes.items():
        if field not in config:
            raise InputError(
                f"there is no field {where}{field} to change; there are: {', '.join(config)}."
            )
        old = config[field]
        is_section = isinstance(value, Mapping) and isinstance(old, ConfigDict)
        if is_section and value.get("name", old.get("name")) == old.get("name"):
            override(old, value, f"{where}{field}.")
        else:
            with config.ignore_type():
                config[field] = ConfigDict(value) if isinstance(value, Mapping) else value


def shard(runs: Sequence[Run], share: str) -> list[Run]:
    """Take every n-th run, beginning with the i-th, as ``share`` = ``i/n`` says (i from 1).

    Raises:
        InputError: ``share`` is not of that form.
    """
    index, _, count = share.partition("/")
    if not (index.isdigit() and count.isdigit() and 1 <= int(index) <= int(count)):
        raise InputError(f"--shard must be i/n with 1 <= i <= n, e.g. 1/2; got {share!r}.")
    return list(runs[int(index) - 1 :: int(count)])


def _vary(base: ConfigDict, name: str, changes: Mapping[str, Any]) -> ConfigDict:
    config = base.copy_and_resolve_references()
    try:
        override(config, changes)
    except InputError as error:
        raise InputError(f"variant {name!r}: {error}") from error
    return config


def _of_run(config: ConfigDict, seed: int, fold: int | None) -> ConfigDict:
    config = config.copy_and_resolve_references()
    config.seed = seed
    if fold is not None:
        config.split.fold = fold
    return config


def _folds(base: ConfigDict) -> Sequence[int | None]:
    """The folds of the split scheme; leaving one subject out needs to know how many there are."""
    if base.split.name != "kfold":
        return [None]
    count = base.split.num_folds
    return range(count or len({s.subject for s in build.read_data(base).series}))
