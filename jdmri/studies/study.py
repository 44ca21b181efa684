"""A study from its config to its table: what ``--mode=study`` does."""

from pathlib import Path

from jdmri.errors import InputError
from jdmri.studies import cost, result
from jdmri.studies.conduct import conduct, open_study
from jdmri.studies.runs import plan, shard
from jdmri.training.workdir import Config


def study(config: Config, folder: Path, *, share: str = "1/1", dry_run: bool = False) -> str:
    """Train and evaluate what is missing, then compare; the same call continues after a kill.

    Args:
        config: of a study (`configs/studies/default.py`).
        folder: of the study; workers may share it.
        share: ``i/n``, this worker's part of the runs.
        dry_run: only list the runs and estimate the time.

    Returns:
        The table with its statistics, or what the dry run found, or what other workers still have to do.

    Raises:
        InputError: the study cannot be carried out, or some of its runs failed; the table of the others is written.
    """
    planned = plan(config)
    runs = planned.runs
    own = shard(runs, share)
    if dry_run:
        return cost.dry_run(own, folder)
    open_study(folder, planned.settings)
    failed = conduct(own, folder)
    waiting = [r.name for r in runs if not r.is_finished(folder) and r.name not in failed]
    if waiting:
        return (
            f"This worker is done; {len(waiting)} of {len(runs)} runs are not ({', '.join(waiting[:4])}, …). "
            f"When they are, the same command without --shard makes the table."
        )
    text = result.report(planned, folder, failed)
    text += f"\n\nEverything is in {folder}; open {folder / 'report.html'}."
    if failed:
        names = "; ".join(f"{name}: {reason}" for name, reason in failed.items())
        raise InputError(f"{len(failed)} run(s) failed ({names}); the table of the others is in {folder}.")  # fmt: skip
    return text
