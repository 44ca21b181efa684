"""Evaluation from a workdir: reconstruct every series by every method, score, draw, state."""

import csv
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from tqdm import tqdm

from jdmri import losses, metrics
from jdmri.data.acquisition import Acquisition
from jdmri.data.records import Dataset, SeriesLike
from jdmri.errors import InputError
from jdmri.evaluation import card, summary
from jdmri.evaluation.methods import build_methods, timed
from jdmri.evaluation.protocol import Protocol, refuse_other
from jdmri.runtime import files, processes
from jdmri.training import build, records, restore, workdir
from jdmri.training.workdir import Config

SPLITS = ("train", "validation", "test")


class Chosen(NamedTuple):
    """The series of an evaluation.

    Attributes:
        dataset: their source.
        series: what is evaluated.
        part: ``train``, ``validation``, ``test``, or ``all`` of other data than the run's.
        folder: its name, below ``evaluation/``.
    """

    dataset: Dataset
    series: Sequence[SeriesLike]
    part: str
    folder: str


def evaluate(
    config: Config,
    folder: Path,
    *,
    split: str = "test",
    checkpoint: str = "best",
    pictures: bool = True,
) -> tuple[Path, dict]:
    """Evaluate a trained run on a split of its data, or on all of other data.

    Args:
        config: the run's, possibly with other ``data``, ``mask``, ``noise``, ``methods``, ``metrics``.
        folder: the workdir.
        split: ``train``, ``validation`` or ``test`` of the run's own data; other data are taken whole.
        checkpoint: ``best``, ``latest`` or a step.
        pictures: draw figures and the page, too.

    Returns:
        The folder of the results, and the content of ``summary.json``.

    Raises:
        InputError: the checkpoint, the data or a setting cannot be used, or the folder holds an
            evaluation with another protocol.
    """
    if split not in SPLITS:
        raise InputError(f"--split must be one of {', '.join(SPLITS)}, got {split!r}.")
    trained = workdir.load_config(folder)
    state, step = restore.restore_state(folder, checkpoint)
    chosen = choose_series(config, trained, split)
    target = folder / "evaluation" / (config.eval.name or chosen.folder)
    acquisition, protocol = build.acquisition(config), Protocol.of(config)
    masks = [acquisition.mask_of(one) for one in chosen.series]
    about = protocol.statement(chosen.dataset, chosen.series, chosen.part, masks)
    loss = trained.loss.to_dict()
    about |= {"checkpoint": step, "training_loss": loss, "note": losses.note(loss)}
    refuse_other(target / "summary.json", about)

    num_coils = chosen.series[0].shape.coils
    methods = build_methods(protocol, num_coils, build.build_model(config), state.variables)
    rows = score(chosen.series, acquisition, methods, protocol.metrics)
    result = {"protocol": about, "methods": summary.summarise(rows)}
    if not processes.is_first():
        return target, result
    training = card.Training(trained.data.name, build.same_data(config, trained), state)
    stated = card.statement(protocol, training, chosen.dataset, result)
    write_numbers(target, rows, stated, result)
    if pictures:
        title = f"{folder.name}: {chosen.dataset.name}, {chosen.part}"
        history = records.read_records(folder)
        shown = chosen.series, acquisition, methods
        write_page(target, title, shown, rows, history, stated, result)
    return target, result


def choose_series(config: Config, trained: Config, split: str) -> Chosen:
    """Choose a split of the run's own data, or all of other data.

    Args:
        config: of the evaluation.
        trained: of the run.
        split: ``train``, ``validation`` or ``test``.

    Raises:
        InputError: the data cannot be read, or there is no series.
    """
    dataset = build.read_data(config)
    own = build.same_data(config, trained)
    series = build.split_data(dataset, config)[split] if own else dataset.series
    if not series:
        raise InputError(f"the {split} split is empty: split is {config.split.to_dict()}.")
    # Other data have a folder apart from those of the run's own splits.
    name = f"{dataset.name}-data" if dataset.name in SPLITS else dataset.name
    return Chosen(dataset, series, split, split) if own else Chosen(dataset, series, "all", name)


def score(
    series: Sequence[SeriesLike],
    acquisition: Acquisition,
    methods: Mapping[str, Callable],
    measures: Sequence[str],
) -> list[dict[str, Any]]:
    """Reconstruct and score each series by each method.

    Args:
        series: fully sampled.
        acquisition: how they are undersampled.
        methods: name → ``(kspace, maps, mask) -> cine``.
        measures: names of metrics.

    Returns:
        One row each: ``series``, ``subject``, ``method``, the metrics, how the solver ended, and seconds. With several
        processes each does its part, and all get all rows.
    """
    groups = []
    own = processes.share(series)
    for one in tqdm(
        own, desc="evaluate", unit="series", leave=None, disable=processes.no_progress()
    ):
        acquired, reference = acquisition.simulate(one)
        region = metrics.heart_region(reference.cine)
        groups.append([])
        for name, method in methods.items():
            estimate, known = timed(method, acquired)
            scores = metrics.evaluate(estimate, reference.cine, measures, region)
            identity = {"series": one.name, "subject": one.subject, "method": name}
            groups[-1].append(identity | scores | known)
    return [row for group in processes.gather(groups) for row in group]


def write_numbers(
    target: Path,
    rows: Sequence[Mapping[str, Any]],
    stated: Mapping[str, Any],
    result: Mapping[str, Any],
) -> None:
    """Write ``series.csv``, ``card.json``, and, last, ``summary.json``: then the numbers are complete."""
    files.write_atomic(target / "series.csv", lambda path: _write_csv(path, rows))
    files.write_json(target / "card.json", stated)
    files.write_json(target / "summary.json", result)


def write_page(
    target: Path,
    title: str,
    shown: tuple[Sequence[SeriesLike], Acquisition, Mapping[str, Callable]],
    rows: Sequence[Mapping[str, Any]],
    history: Sequence[Mapping[str, Any]],
    stated: Mapping[str, Any],
    result: Mapping[str, Any],
) -> None:
    """Draw the figures and write ``report.html``.

    Args:
        target: folder of the evaluation.
        title: of the page.
        shown: the series, how they are undersampled, and the methods.
        rows: of ``series.csv``.
        history: the records of ``metrics.jsonl``.
        stated: the content of ``card.json``.
        result: the content of ``summary.json``.
    """
    from jdmri.evaluation import gallery, report_page
    from jdmri.report import views  # a second of imports

    drawn = views.worst_and_median(*shown, rows)
    gallery.draw(target / "figures", drawn, history, result["protocol"]["note"])
    report_page.write(target / "report.html", title, result, rows, drawn, history, stated)


def _write_csv(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
