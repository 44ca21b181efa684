"""Evaluation from a workdir: reconstruct every series by every method, score, draw, state."""

import csv
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import jax
import numpy as np
from ml_collections import ConfigDict
from tqdm import tqdm

from jdmri import losses, metrics
from jdmri.classical import METHODS
from jdmri.data.acquisition import (
    Acquired,
    draw_mask,
    load,
    simulate,
)
from jdmri.data.records import SeriesLike
from jdmri.errors import InputError
from jdmri.evaluation import card, summary
from jdmri.models.reconstructor import reconstructor
from jdmri.runtime import files, processes
from jdmri.studies import tune
from jdmri.training import (
    build,
    records,
    workdir,
)

MODEL = "model"
SPLITS = ("train", "validation", "test")


def evaluate(
    config: ConfigDict,
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
    state, step = build.restore_state(trained, folder, checkpoint)
    dataset = build.read_data(config)
    own = build.same_data(config, trained)
    series = build.split_data(dataset, config)[split] if own else dataset.series
    if not series:
        raise InputError(f"the {split} split is empty: split is {config.split.to_dict()}.")
    part = split if own else "all"
    target = (
        folder / "evaluation" / (config.eval.name or (split if own else _folder_name(dataset.name)))
    )
    masks = [draw_mask(s, config) for s in series]
    note = losses.note(trained.loss.to_dict())
    protocol = summary.protocol(config, dataset, series, part, masks)
    protocol |= {"checkpoint": step, "training_loss": trained.loss.to_dict(), "note": note}
    summary.refuse_other(target / "summary.json", protocol)

    methods = build_methods(config, state, series[0].shape.coils)
    rows = _score_all(series, config, methods)
    result = {"protocol": protocol, "methods": summary.summarise(rows)}
    if not processes.is_first():
        return target, result
    about = card.statement(config, trained, dataset, state, result)
    _write_csv(target / "series.csv", rows)
    files.write_json(target / "card.json", about)
    files.write_json(target / "summary.json", result)  # last of the numbers: they are complete
    if pictures:
        from jdmri.evaluation import gallery, report_page
        from jdmri.report import views  # a second of imports

        history = records.read_records(folder)
        acquire = lambda one: simulate(load(one, config), config)
        shown = views.worst_and_median(series, acquire, methods, rows)
        gallery.draw(target / "figures", shown, history, note)
        title = f"{folder.name}: {dataset.name}, {part}"
        content = title, result, rows, shown, history, about
        report_page.write(target / "report.html", *content)
    return target, result


def build_methods(config: ConfigDict, state, num_coils: int) -> dict[str, Callable]:
    """Build the rows of the table: the methods without training, then the model."""
    cyclic = config.data.cyclic
    section = lambda name: {"name": name, **tune.lookup(config, name, num_coils)}
    methods = {name: METHODS.build(section(name), cyclic=cyclic) for name in config.methods}
    variables = jax.device_put(state.variables)
    return methods | {MODEL: reconstructor(build.build_model(config), variables)}


def _score_all(
    series: Sequence[SeriesLike], config: ConfigDict, methods: Mapping[str, Callable]
) -> list[dict]:
    """Reconstruct and score each series by each method: one row each."""
    groups = []
    own = processes.share(series)
    for one in tqdm(
        own, desc="evaluate", unit="series", leave=None, disable=processes.no_progress()
    ):
        acquired, reference = simulate(load(one, config), config)
        region = metrics.heart_region(reference.cine)
        groups.append([])
        for name, method in methods.items():
            estimate, known = _timed(method, acquired)
            scores = metrics.evaluate(estimate, reference.cine, config.metrics, region)
            identity = {"series": one.name, "subject": one.subject, "method": name}
            groups[-1].append(identity | scores | known)
    return [row for group in processes.gather(groups) for row in group]


def _timed(method: Callable, data: Acquired) -> tuple[np.ndarray, dict[str, float]]:
    """Reconstruct; how the solver ended (NaN without one), and seconds of a second call: the first one of a shape compiles."""
    jax.block_until_ready(method(*data))
    start = time.perf_counter()
    estimate, ended = tune.reconstruct(method, data)
    estimate = np.asarray(estimate)
    seconds = time.perf_counter() - start
    converged = ended.converged if np.isfinite(ended.iterations) else np.nan
    return estimate, {**ended._asdict(), "converged": float(converged), "seconds": seconds}


def _folder_name(data_name: str) -> str:
    """Name the folder after the data, apart from those of the run's own splits."""
    return f"{data_name}-data" if data_name in SPLITS else data_name


def _write_csv(path: Path, rows: Sequence[Mapping]) -> None:
    def write(temporary: Path) -> None:
        with temporary.open("w", newline="") as file:
            writer = csv.DictWriter(file, fieldnames=list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)

    files.write_atomic(path, write)
