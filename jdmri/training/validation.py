"""Validation during training: loss, PSNR and a picture, with fixed masks."""

import jax
import numpy as np

from jdmri.runtime import processes
from jdmri.training.feed import Resident, Streamed
from jdmri.training.state import TrainState
from jdmri.training.step import Task, make_eval_step


class Validation:
    """Scores the averaged parameters on the validation series, one series at a time."""

    def __init__(self, task: Task, examples: Resident | Streamed | None, num_series: int = 0):
        """Prepare the step.

        Args:
            task: what is learnt.
            examples: the series; None where the split has no validation series.
            num_series: how many to draw anew at each call; 0 or too many: all.
        """
        self._examples = examples
        self._num_series, self._seed = num_series, task.acquisition.eval_seed
        self._step = make_eval_step(task)

    def __call__(self, state: TrainState) -> tuple[dict[str, float], np.ndarray | None]:
        """Return the mean ``loss`` and ``psnr`` over series, and the `picture` of the first.

        Without series: nothing and None.
        """
        if self._examples is None:
            return {}, None
        chosen = self._choose(int(state.step))
        one = self._examples.one
        results = [self._step(state.variables, one(i), state.step) for i in processes.share(chosen)]
        scores = processes.gather(jax.device_get([r for r, _ in results]))
        means = {name: float(np.mean([s[name] for s in scores])) for name in scores[0]}
        if not processes.is_first():
            return means, None
        return means, picture(np.asarray(results[0][1]), np.asarray(one(chosen[0]).cine[0]))

    def _choose(self, step: int) -> list[int]:
        total = len(self._examples)
        if not 0 < self._num_series < total:
            return list(range(total))
        rng = np.random.default_rng((self._seed, step))
        return sorted(map(int, rng.choice(total, self._num_series, replace=False)))


def picture(estimate: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Put the magnitudes of a reference frame, its reconstruction, and 5 × the error side by side.

    Args:
        estimate: ``[y, x]``.
        reference: ``[y, x]``; its maximum becomes 1.

    Returns:
        ``[y, 3 x]``.
    """
    estimate, reference = np.abs(estimate), np.abs(reference)
    error = 5 * np.abs(estimate - reference)
    return np.concatenate([reference, estimate, error], axis=1) / max(reference.max(), 1e-30)
