"""The series that a study's page shows: the worst three and the median one, by every method."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from jdmri import metrics
from jdmri.data.records import Series, SeriesLike
from jdmri.evaluation.methods import MODEL, build_methods
from jdmri.evaluation.protocol import Protocol
from jdmri.report.page import View
from jdmri.report.views import NUM_WORST, reconstruct_all, view
from jdmri.runtime import files
from jdmri.studies.collect import Scores
from jdmri.studies.runs import Run
from jdmri.training import build, restore


def showcase(runs: Sequence[Run], folder: Path, scores: Scores, metric: str) -> list[View]:
    """Reconstruct the shown series by the first seed's network of every variant.

    Args:
        runs: of the study, all of them.
        folder: of the study.
        scores: of `collect`.
        metric: by which series are ranked.
    """
    first = [r for r in runs if r.seed == runs[0].seed and r.variant in scores.trained]
    views = []
    for label, subject, name in _choose(scores, metric):
        tested = {r.variant: (r, one) for r in first if (one := find(r, name)) is not None}
        captions = {row: _caption(scores, row, metric, subject, name) for row in scores.rows}
        views.append(_show(tested, folder, label, captions))
    return views


def _choose(scores: Scores, metric: str) -> list[tuple[str, str, str]]:
    """(label, subject, series), ranked by the mean over variants of what the first seed reached."""
    first = [next(iter(scores.rows[variant][metric].values())) for variant in scores.trained]
    names = [(subject, series) for subject, ones in first[0].items() for series in ones]
    sign = 1 if metrics.facts(metric).higher_is_better else -1
    mean = lambda name: sign * np.mean([one[name[0]][name[1]] for one in first])
    ranked = sorted(names, key=mean)
    worst = [(f"worst {i}", *name) for i, name in enumerate(ranked[:NUM_WORST], 1)]
    return [*worst, ("median", *ranked[len(ranked) // 2])]


def _show(
    tested: dict[str, tuple[Run, SeriesLike]], folder: Path, label: str, captions: dict
) -> View:
    series, mask, estimates = reconstructions(tested, folder)
    captions = {row: captions.get(row, "") for row in estimates}
    return view(series, mask, estimates, label=label, captions=captions)


def reconstructions(
    tested: dict[str, tuple[Run, SeriesLike]], folder: Path
) -> tuple[Series, np.ndarray, dict[str, np.ndarray]]:
    """Reconstruct one series by the methods without training, as the first variant has them, and by every variant.

    Args:
        tested: variant → a run that tests the series, and the series.
        folder: of the study.

    Returns:
        The reference and the mask of the first variant, and row → ``[frame, y, x]``.
    """
    estimates: dict[str, np.ndarray] = {}
    for variant, (run, series) in tested.items():
        data, reference = build.acquisition(run.config).simulate(series)
        methods = _methods(run, folder, series.shape.coils)
        network = methods.pop(MODEL)
        if not estimates:
            first, mask = reference, np.asarray(data.mask)
            estimates = reconstruct_all(methods, data)
        estimates[variant] = np.asarray(network(*data))
    return first, mask, estimates


def find(run: Run, name: str) -> SeriesLike | None:
    """Return the series of that name if the run tests it; with folds another run may."""
    tested = build.split_data(build.read_data(run.config), run.config)["test"]
    return next((s for s in tested if s.name == name), None)


def _methods(run: Run, folder: Path, num_coils: int) -> dict[str, Callable]:
    """Build the rows of a run's table, its network from the checkpoint that was evaluated."""
    done = files.read_json(run.workdir(folder) / "evaluation" / "test" / "summary.json")
    step = str(done["protocol"]["checkpoint"])
    state, _ = restore.restore_state(run.workdir(folder), step)
    model = build.build_model(run.config)
    return build_methods(Protocol.of(run.config), num_coils, model, state.variables)


def _caption(scores: Scores, row: str, metric: str, subject: str, series: str) -> str:
    value = next(iter(scores.rows[row][metric].values()))[subject][series]
    return f"{value:.1f} dB" if metric == "psnr" else f"{metric} {value:.4g}"
