"""Logs of a run: ``metrics.jsonl`` always, TensorBoard beside it."""

import json
import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from jdmri.runtime import files, processes

_RECORDS = "metrics.jsonl"


class Writer:
    """Appends records to ``metrics.jsonl`` and to TensorBoard; of several processes the first one's does."""

    def __init__(self, workdir: Path, *, resume_step: int):
        """Open the logs of a run that continues at ``resume_step``."""
        self._path = workdir / _RECORDS
        self._tensorboard = None
        if not processes.is_first():
            return
        from tensorboardX import SummaryWriter  # imports PyTorch where that is installed

        folder = str(workdir / "tensorboard")
        self._tensorboard = SummaryWriter(folder, purge_step=resume_step + 1, flush_secs=30)

    def scalars(self, step: int, split: str, values: Mapping[str, float]) -> None:
        """Write one record; a value that is not finite becomes null."""
        if self._tensorboard is None:
            return
        values = {k: float(v) for k, v in values.items()}
        record = {"step": step, "split": split}
        record |= {k: v if math.isfinite(v) else None for k, v in values.items()}
        with self._path.open("a") as file:
            file.write(json.dumps(record) + "\n")
        for name, value in values.items():
            self._tensorboard.add_scalar(f"{name}/{split}", value, step)

    def image(self, step: int, name: str, image: np.ndarray) -> None:
        """Write a gray image ``[y, x]`` in 0…1."""
        if self._tensorboard is None:
            return
        self._tensorboard.add_image(name, np.clip(image, 0, 1), step, dataformats="HW")

    def close(self) -> None:
        """Flush both logs."""
        if self._tensorboard is not None:
            self._tensorboard.close()


def cut_after(workdir: Path, step: int) -> None:
    """Drop the records after ``step``, where a run goes on."""
    path = workdir / _RECORDS
    if path.exists():
        kept = [r for r in read_records(workdir) if r["step"] <= step]
        text = "".join(json.dumps(r) + "\n" for r in kept)
        files.write_atomic(path, lambda temporary: temporary.write_text(text))


def read_records(workdir: Path) -> list[dict]:
    """Read ``metrics.jsonl``; a last line that a kill cut short is left out."""
    path = workdir / _RECORDS
    if not path.exists():
        return []
    records = []
    for line in path.read_text().splitlines():
        try:
            records.append(json.loads(line))
        except json.JSONDecodeError:
            continue
    return records
