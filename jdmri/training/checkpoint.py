"""Checkpoints: Orbax, asynchronous, with a SHA-256 manifest that is verified before restoring.

Orbax itself restores a file with flipped bytes without complaint. The manifest is written last: a
step without one was interrupted and is passed over; a step whose files differ from it is refused.
"""

import hashlib
from pathlib import Path
from typing import Any

import jax
import numpy as np
import orbax.checkpoint as ocp
from orbax.checkpoint.checkpoint_managers import preservation_policy

from jdmri.errors import InputError
from jdmri.runtime import files, processes
from jdmri.runtime.log import log

MANIFEST = "manifest.json"
METRIC = "psnr"


class Checkpoints:
    """The checkpoints of one workdir: ``folder/<step>/``, the latest and the best kept."""

    def __init__(self, folder: Path, *, keep_latest: int = 2):
        """Open ``folder``; nothing is created before the first save."""
        self.folder = folder.absolute()
        self._keep_latest = keep_latest
        self._pending: dict[int, dict] = {}  # manifests, without hashes, of saves under way
        self._manager: ocp.CheckpointManager | None = None

    def save(self, state: Any, metric: float | None = None) -> None:
        """Start saving ``state``; returns as soon as it is copied to host memory. Only the first process does.

        Args:
            state: a `TrainState`; its ``step`` names the checkpoint.
            metric: the validation PSNR, if this step was validated.
        """
        if not processes.is_first():
            return
        # Copies: the next step donates the device buffers, of which a CPU array is only a view.
        host = jax.tree.map(lambda a: np.array(a, copy=True), jax.device_get(state))
        metrics = None if metric is None else {METRIC: float(metric)}
        manager = self._open()
        manager.wait_until_finished()  # the thread of an earlier save reads `_pending`
        self._pending[int(host.step)] = {"metric": metric, "arrays": _arrays(host)}
        manager.save(int(host.step), args=ocp.args.StandardSave(host), metrics=metrics, force=True)

    def wait(self) -> None:
        """Block until all saves are on disk, manifests included."""
        if self._manager is not None:
            self._manager.wait_until_finished()
            self._write_manifests()

    def steps(self) -> list[int]:
        """List the finished steps, ascending; says one line about each unfinished one."""
        finished = []
        for step in self._all_steps():
            if (self.folder / str(step) / MANIFEST).is_file():
                finished.append(step)
            else:
                log.warning("Checkpoint %d has no manifest: unfinished, passed over.", step)
        return finished

    def best(self) -> int:
        """Return the step with the highest validation PSNR (the latest step if none has one).

        Raises:
            InputError: there is no finished checkpoint.
        """
        metrics = {step: self._manifest(step)["metric"] for step in self._require_steps()}
        known = {step: value for step, value in metrics.items() if value is not None}
        return max(known, key=known.__getitem__) if known else max(metrics)

    def choose(self, which: str) -> int:
        """Translate ``best``, ``latest`` or a step number to a step.

        Raises:
            InputError: no such finished checkpoint.
        """
        if which == "best":
            return self.best()
        steps = self._require_steps()
        if which == "latest":
            return steps[-1]
        if not which.isdigit() or int(which) not in steps:
            raise InputError(
                f"no checkpoint {which!r} in {self.folder}; there are: {_listed(steps)}."
            )
        return int(which)

    def restore(self, step: int, template: Any) -> Any:
        """Read the state of ``step`` as NumPy arrays, after checking every file.

        Args:
            step: a finished step.
            template: a tree of arrays or `jax.ShapeDtypeStruct` of the expected shapes.

        Raises:
            InputError: a file is missing or altered, or the network has other shapes.
        """
        self._verify(step)
        self._check_fit(step, template)
        template = jax.tree.map(lambda a: np.zeros(a.shape, a.dtype), template)
        with ocp.Checkpointer(
            ocp.StandardCheckpointHandler(), multiprocessing_options=_alone("restore")
        ) as reader:
            arguments = ocp.args.StandardRestore(template)
            return reader.restore(self.folder / str(step) / "default", args=arguments)

    def drop_after(self, step: int) -> None:
        """Delete the checkpoints after ``step``, before training goes on from there."""
        for later in [s for s in self._all_steps() if s > step]:
            self._open().delete(later)

    def close(self) -> None:
        """Finish all saves."""
        self.wait()
        if self._manager is not None:
            self._manager.close()
            self._manager = None

    def _open(self) -> ocp.CheckpointManager:
        if self._manager is None:
            latest = preservation_policy.LatestN(self._keep_latest)
            metric = lambda metrics: metrics[METRIC]
            best = preservation_policy.BestN(
                get_metric_fn=metric, n=1, keep_checkpoints_without_metrics=False
            )
            self.folder.mkdir(parents=True, exist_ok=True)
            options = ocp.CheckpointManagerOptions(
                create=False,
                best_fn=metric,  # makes Orbax store the metrics, which the policy needs after a restart
                preservation_policy=preservation_policy.AnyPreservationPolicy([latest, best]),
                cleanup_tmp_directories=True,
                multiprocessing_options=_alone("save"),
                async_options=ocp.AsyncOptions(post_finalization_callback=self._write_manifests),
            )
            self._manager = ocp.CheckpointManager(self.folder, options=options)
        return self._manager

    def _all_steps(self) -> list[int]:
        if not self.folder.is_dir():
            return []
        return sorted(int(p.name) for p in self.folder.iterdir() if p.name.isdigit())

    def _require_steps(self) -> list[int]:
        steps = self.steps()
        if not steps:
            raise InputError(
                f"no finished checkpoint in {self.folder}; train first, or check --workdir."
            )
        return steps

    def _manifest(self, step: int) -> dict:
        return files.read_json(self.folder / str(step) / MANIFEST)

    def _write_manifests(self) -> None:
        """Complete each committed save of this process with the hashes of its files."""
        for step in [s for s in self._pending if (self.folder / str(s)).is_dir()]:
            folder = self.folder / str(step)
            files.write_json(
                folder / MANIFEST, self._pending.pop(step) | {"sha256": _hashes(folder)}
            )

    def _check_fit(self, step: int, template: Any) -> None:
        """Compare the stored arrays with the expected ones; Orbax lets wrong shapes through."""
        stored, wanted = self._manifest(step)["arrays"], _arrays(template)
        for name in sorted(stored | wanted):
            if stored.get(name) != wanted.get(name):
                raise InputError(
                    f"checkpoint {step} in {self.folder} does not fit this network: {name} is "
                    f"{stored.get(name, 'absent')} there, {wanted.get(name, 'absent')} here."
                )

    def _verify(self, step: int) -> None:
        folder = self.folder / str(step)
        actual = _hashes(folder)
        for name, digest in self._manifest(step)["sha256"].items():
            if actual.get(name) != digest:
                state = "differs from its manifest" if name in actual else "is missing"
                others = [s for s in self.steps() if s != step]
                remedy = (
                    f"use --checkpoint={others[-1]}" if others else "there is no other checkpoint"
                )
                raise InputError(
                    f"checkpoint {step} is damaged: {folder / name} {state}; {remedy}."
                )


def _hashes(folder: Path) -> dict[str, str]:
    """SHA-256 of every file below ``folder``, but the manifest."""
    paths = sorted(p for p in folder.rglob("*") if p.is_file() and MANIFEST not in p.name)
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in paths}


def _arrays(tree: Any) -> dict[str, str]:
    """Describe each array of ``tree``, e.g. ``{".step": "int32[]"}``."""
    leaves = jax.tree_util.tree_leaves_with_path(tree)
    return {jax.tree_util.keystr(p): f"{a.dtype}{list(a.shape)}" for p, a in leaves}


def _listed(steps: list[int]) -> str:
    return ", ".join(map(str, steps))


def _alone(purpose: str) -> ocp.options.MultiprocessingOptions:
    """Let this process read or write by itself, whichever others there are."""
    own = jax.process_index()
    if jax.process_count() == 1:
        return ocp.options.MultiprocessingOptions()
    return ocp.options.MultiprocessingOptions(
        primary_host=own, active_processes={own}, barrier_sync_key_prefix=f"{purpose}_{own}"
    )
