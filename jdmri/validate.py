"""Validation during training: loss and PSNR with fixed masks."""

import jax
import numpy as np

from jdmri.state import TrainState
from jdmri.step import Examples, Task, make_eval_step


class Validation:
    """Scores the averaged parameters on the validation series, one series at a time."""

    def __init__(self, task: Task, examples: Examples | None):
        """Put the series on the device; None where the split has no validation series."""
        self._examples = jax.device_put(examples)
        self._step = make_eval_step(task)

    def __call__(self, state: TrainState) -> dict[str, float]:
        """Return the mean ``loss`` and ``psnr`` over series; empty without series."""
        if self._examples is None:
            return {}
        one = lambda index: jax.tree.map(lambda a: a[index], self._examples)
        results = [self._step(state.variables, one(i)) for i in range(len(self._examples.cine))]
        results = jax.device_get(results)
        return {name: float(np.mean([r[name] for r in results])) for name in results[0]}
