"""Hyper-parameter search with Optuna: grid, random, or TPE with pruning; trials are runs like a study's."""

import csv
import itertools
from pathlib import Path

import jax
import numpy as np
from tqdm import tqdm

from jdmri.errors import InputError
from jdmri.report.figures import cines
from jdmri.runtime import files
from jdmri.studies.conduct import (
    claim,
    open_study,
    quiet,
    say,
)
from jdmri.studies.runs import override
from jdmri.studies.search_space import (
    Space,
    digest,
    flatten,
    grid,
    nest,
    spoken,
    suggest,
)
from jdmri.training import records, train
from jdmri.training.workdir import Config


def search(config: Config, folder: Path) -> str:
    """Try settings, each trained once, and rank them by the best validation PSNR.

    Several workers may share ``folder``: the journal of trials is one file there. A trial that a kill
    interrupted is taken up again by the next call.

    Args:
        config: with ``base``, ``space`` and ``search`` (`configs/studies/search.py`).
        folder: of the search.

    Returns:
        The table of trials, best first, and where it is.

    Raises:
        InputError: Optuna is not installed, or the space cannot be used.
    """
    optuna, space = _optuna(), flatten(config.space.to_dict())
    wanted = min(config.search.num_trials, _limit(config.search.name, space))
    open_study(folder, config.to_dict())
    trials = _open(optuna, config.search, space, folder)
    _retry_interrupted(optuna, trials, folder)
    with quiet(), tqdm(total=wanted, desc="search", unit="trial", disable=None) as bar:
        bar.update(_num_begun(trials))
        while _num_begun(trials) < wanted:
            say(bar, _attempt(optuna, trials, config, space, folder))
            bar.update(1)
    return _report(optuna, trials, space, folder)


def _attempt(optuna, trials, config: Config, space: Space, folder: Path) -> str:
    """Train one trial, tell Optuna, and say how it went."""
    trial = trials.ask()
    chosen = {
        field: suggest(trial, field, section, on_grid=config.search.name == "grid")
        for field, section in space.items()
    }
    told = f"trial {trial.number}: {spoken(chosen)}"
    run = config.base.copy_and_resolve_references()
    override(run, nest(chosen))
    workdir = folder / "trials" / digest(chosen)
    trial.set_user_attr("workdir", workdir.name)
    with claim(workdir) as is_ours:
        try:
            if not is_ours:
                raise InputError("another worker has the same settings in hand")
            train.train(run, workdir, on_validation=_reporter(trial, config.search.prune))
            best = best_psnr(workdir)
        except InputError as error:
            trial.set_user_attr("failed", str(error))
            trials.tell(trial, state=optuna.trial.TrialState.FAIL)
            return f"{told}: failed: {error}"
        finally:
            jax.clear_caches()
    if config.search.prune and trial.should_prune():
        trials.tell(trial, state=optuna.trial.TrialState.PRUNED)
        return f"{told}: {best:.2f} dB, stopped early"
    trials.tell(trial, best)
    return f"{told}: {best:.2f} dB"


def best_psnr(workdir: Path) -> float:
    """Return the best validation PSNR of a run in dB.

    Raises:
        InputError: it was never validated.
    """
    scores = [r["psnr"] for r in records.read_records(workdir) if r["split"] == "validation"]
    scores = [s for s in scores if s is not None]
    if not scores:
        raise InputError(
            f"{workdir} has no validation PSNR; a search needs a validation split, see config.split."
        )
    return max(scores)


def _optuna():
    try:
        import optuna
    except ImportError as error:
        raise InputError("--mode=search needs Optuna; type pip install 'jdmri[search]'.") from error
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return optuna


def _open(optuna, section: Config, space: Space, folder: Path):
    """Open the journal; a sampler that starts anew must not repeat its first draws."""
    backend = optuna.storages.journal.JournalFileBackend(str(folder / "journal.log"))
    storage = optuna.storages.JournalStorage(backend)
    names = [s.study_name for s in optuna.get_all_study_summaries(storage)]
    known = len(optuna.load_study(study_name="search", storage=storage).trials) if names else 0
    sampler = optuna.samplers.TPESampler if section.name == "tpe" else optuna.samplers.RandomSampler
    trials = optuna.create_study(
        study_name="search",
        direction="maximize",
        load_if_exists=True,
        storage=storage,
        sampler=sampler(seed=section.seed + known),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=4),
    )
    if section.name == "grid":  # Optuna's own grid sampler does not work trial by trial
        for point in itertools.product(*map(grid, space.values())):
            chosen = dict(zip(space, point, strict=True))
            trials.enqueue_trial(chosen, skip_if_exists=True)
    return trials


def _reporter(trial, prune: bool):
    """Make the function that reports validations and says when to stop."""

    def report(step: int, psnr: float) -> bool:
        trial.report(psnr, step)
        return prune and trial.should_prune()

    return report


def _retry_interrupted(optuna, trials, folder: Path) -> None:
    """Put trials that no process works on any more into the queue again; their runs resume."""
    for trial in trials.get_trials(states=(optuna.trial.TrialState.RUNNING,)):
        with claim(folder / "trials" / trial.user_attrs.get("workdir", "none")) as is_free:
            if is_free:
                trials.tell(trial.number, state=optuna.trial.TrialState.FAIL)
                if trial.params:
                    trials.enqueue_trial(trial.params)


def _num_begun(trials) -> int:
    """Count the trials, without those that were interrupted or wait in the queue."""
    return sum(
        t.state.name in ("COMPLETE", "PRUNED", "RUNNING") or "failed" in t.user_attrs
        for t in trials.get_trials(deepcopy=False)
    )


def _limit(name: str, space: Space) -> int:
    """How many trials there can be: a grid is finite."""
    if name not in ("grid", "random", "tpe"):
        raise InputError(f"search.name must be grid, random or tpe, got {name!r}.")
    return int(np.prod([len(grid(s)) for s in space.values()])) if name == "grid" else 10**9


def _report(optuna, trials, space: Space, folder: Path) -> str:
    """Write ``trials.csv`` and ``search.png``; the table as text."""
    done = [t for t in trials.get_trials(deepcopy=False) if t.state.name in ("COMPLETE", "PRUNED")]
    ranked = sorted(done, key=lambda t: -best_psnr(folder / "trials" / t.user_attrs["workdir"]))
    rows = [
        [t.number, best_psnr(folder / "trials" / t.user_attrs["workdir"]), t.state.name.lower(), t.user_attrs["workdir"], *(t.params[f] for f in space)]
        for t in ranked
    ]  # fmt: skip
    if not rows:
        raise InputError(f"no trial of the search in {folder} succeeded; see the lines above.")
    header = ["trial", "validation_psnr", "state", "workdir", *space]
    files.write_atomic(folder / "trials.csv", lambda path: _write_csv(path, header, rows))
    values = {f: [row[4 + i] for row in rows] for i, f in enumerate(space)}
    numbers, scores = [row[0] for row in rows], [row[1] for row in rows]
    cines.save(cines.search(numbers, scores, values), folder / "search.png")
    lines = [
        f"{row[1]:8.2f} dB  {row[2]:9}  {spoken(dict(zip(space, row[4:], strict=True)))}"
        for row in rows
    ]
    return (
        "\n".join(lines)
        + f"\n\n{len(rows)} trials, one seed each: neighbours in this list may change places. "
        f"All are in {folder / 'trials.csv'}; the plot is {folder / 'search.png'}."
    )


def _write_csv(path: Path, header, rows) -> None:
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)
