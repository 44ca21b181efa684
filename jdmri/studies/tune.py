"""Parameters of the methods without training, tuned on validation subjects: ``--mode=tune``.

The table it writes is what ``config.tuned`` names: evaluations take from it the parameters of each method for their mask,
noise and number of coils.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from tqdm import tqdm

from jdmri import metrics
from jdmri.classical import METHODS, reconstruct
from jdmri.data.acquisition import Acquisition
from jdmri.data.records import SeriesLike
from jdmri.errors import InputError
from jdmri.evaluation.protocol import Protocol
from jdmri.runtime import files
from jdmri.studies import grid_search
from jdmri.training import build
from jdmri.training.workdir import Config

TABLE = "tuned.json"


class Grid(NamedTuple):
    """What is searched for one method.

    Attributes:
        method: its name.
        ranges: parameter → lowest and highest value.
        num_points: of each parameter.
    """

    method: str
    ranges: Mapping[str, Sequence[float]]
    num_points: int


class Score(NamedTuple):
    """How good parameters are. Stopping early regularises, too: only where nothing converges may the best be unconverged.

    Attributes:
        converged: on every series.
        psnr: mean over series, dB.
    """

    converged: bool
    psnr: float


def tune(config: Config, folder: Path) -> str:
    """Tune every method of ``config.grid`` for every acceleration and kind of mask.

    Each result is written as soon as it is known; the same command goes on after a kill.

    Args:
        config: ``base`` (a run's config: data, split, mask, noise), ``accelerations``, ``per_frame``, ``grid`` (method →
            parameter → lowest and highest value), ``only`` (methods to tune now; empty: all of the grid), ``num_points``,
            ``num_series``.
        folder: for ``tuned.json``.

    Returns:
        A line for each entry, the figures of `convergence.draw`, and how to use the table.

    Raises:
        InputError: the data or a setting cannot be used, or the folder holds a table of other settings.
    """
    path = folder / TABLE
    entries = _begun(path, config)
    series = build.split_data(build.read_data(config.base), config.base)["validation"]
    chosen = series[: config.num_series or None]
    if not chosen:
        raise InputError("the validation split is empty; change --config.base.split.ratios.")
    done = [(e["mask"], e["method"]) for e in entries]
    names = config.only or tuple(config.grid)
    unknown = [name for name in names if name not in config.grid]
    if unknown:
        raise InputError(f"no grid for {', '.join(unknown)}; there are {', '.join(config.grid)}.")
    conditions = _conditions(config)
    work = [(condition, name) for condition in conditions for name in names]
    for (protocol, acquisition), name in tqdm(work, desc="tune", unit="method", disable=None):
        if (protocol.mask, name) not in done:
            grid = Grid(name, config.grid[name].to_dict(), config.num_points)
            entries.append(_entry(grid, protocol, acquisition, chosen))
            files.write_json(path, {"settings": _settings(config), "entries": entries})
    from jdmri.studies import convergence  # with matplotlib

    drawn = convergence.draw(entries, conditions, chosen[0], folder)
    lines = [_line(entry) for entry in entries]
    lines += [f"Objective and PSNR against iteration: {', '.join(map(str, drawn))}"] * bool(drawn)
    return "\n".join([*lines, f"To use them in evaluations: --config.tuned={path}"])


def _conditions(config: Config) -> list[tuple[Protocol, Acquisition]]:
    """What is tuned for: each acceleration with each kind of mask."""
    conditions = []
    for per_frame in config.per_frame:
        for acceleration in config.accelerations:
            run = config.base.copy_and_resolve_references()
            run.mask.update(acceleration=acceleration, per_frame=per_frame)
            conditions.append((Protocol.of(run), build.acquisition(run)))
    return conditions


def _entry(
    grid: Grid, protocol: Protocol, acquisition: Acquisition, series: Sequence[SeriesLike]
) -> dict[str, Any]:
    """Tune one method for one mask."""
    psnr = metrics.METRICS.build({"name": "psnr"})
    acquired = [acquisition.simulate(one) for one in series]
    context = {"cyclic": protocol.data["cyclic"]}
    ended: dict[tuple, list] = {}

    def score(parameters):
        method = METHODS.build({"name": grid.method, **parameters}, **context)
        scores, ends = [], []
        for data, reference in acquired:
            cine, *end = reconstruct(method, data)
            ends.append(end)
            scores.append(psnr(np.asarray(cine), reference.cine))
        ended[tuple(parameters.items())] = ends
        return Score(all(converged for *_, converged in ends), float(np.mean(scores)))

    tries = grid_search.maximise(grid.ranges, grid.num_points, score)
    best, parameters = tries[-1]
    iterations, residual, _ = np.array(ended[tuple(parameters.items())]).T
    return {
        "method": grid.method,
        "mask": protocol.mask,
        "noise_sigma": protocol.noise_sigma,
        "num_coils": series[0].shape.coils,
        "parameters": parameters,
        **best._asdict(),
        "iterations": _finite(iterations.mean()),
        "largest_residual": _finite(residual.max()),
        "num_series": len(series),
        "data": protocol.data["name"],
        "tries": [scored._asdict() | point for scored, point in tries],
    }


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _settings(config: Config) -> dict[str, Any]:
    """What the entries have in common."""
    return {
        "base": config.base.to_dict(),
        "num_points": config.num_points,
        "num_series": config.num_series,
        "grid": config.grid.to_dict(),
    }


def _begun(path: Path, config: Config) -> list[dict]:
    """Return the entries of an interrupted command.

    Raises:
        InputError: they were tuned with other settings.
    """
    if not path.is_file():
        return []
    known = files.read_json(path)
    known["settings"]["base"].setdefault("plugins", [])  # older tables lack the field
    # JSON has lists for tuples.
    if known["settings"] != files.as_json(_settings(config)):
        raise InputError(f"{path} was tuned with other settings; choose another --workdir.")
    return known["entries"]


def _line(entry: Mapping[str, Any]) -> str:
    mask, parameters = entry["mask"], entry["parameters"]
    settings = ", ".join(f"{k} {v:.3g}" for k, v in parameters.items())
    kind = "per frame" if mask["per_frame"] else "shared"
    psnr = f"{entry['psnr']:.2f} dB" + ("" if entry["converged"] else ", not converged")
    return f"R {mask['acceleration']:g}, {kind}, {entry['method']}: {settings} ({psnr})"
