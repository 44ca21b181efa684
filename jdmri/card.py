"""The honest-benchmark statement of an evaluation: what its numbers rest on, and what not."""

from collections.abc import Mapping
from typing import Any

import jax
from ml_collections import ConfigDict

from jdmri import setup, workdir
from jdmri.data.series import Dataset
from jdmri.state import TrainState

_FILLING = "no parameters, not iterative, nothing tuned"
_TUNING = {
    "zero_filled": _FILLING,
    "temporal_average": _FILLING,
    "view_sharing": _FILLING,
    "cg_sense": "defaults: λ chosen on phantoms with eight coils; relative residual 1e-4, at most 50 iterations",
    "kt_sparse": "defaults of its factory, not tuned for these data",
}


def statement(
    config: ConfigDict,
    trained: ConfigDict,
    dataset: Dataset,
    state: TrainState,
    result: Mapping[str, Any],
) -> dict[str, Any]:
    """Build ``card.json`` (science brief §D.7).

    Args:
        config: of the evaluation.
        trained: of the training run.
        dataset: what was evaluated.
        state: the evaluated checkpoint.
        result: the content of ``summary.json``.
    """
    about = result["protocol"]
    return {
        "data": dataset.facts | {"name": dataset.name, "matrix": _matrix(dataset)},
        "split": {
            "evaluated": about["split"],
            "by": "subject",
            "scheme": config.split.to_dict(),
            "subjects_evaluated": about["num_subjects"],
            "same_data_as_training": setup.same_data(config, trained),
        },
        "training": {
            "data": trained.data.name,
            "seeds": 1,
            "steps": int(state.step),
            "updates_skipped": int(state.skipped),
            "checkpoint_chosen_by": "best validation PSNR of the averaged weights, on the training data's validation split",
            "hyper_parameters": "as in config.json; no search was run by this command",
        },
        "mask": about["mask"]
        | {
            "true_acceleration": about["true_acceleration"],
            "lines_per_frame": about["true_lines_per_frame"],
            "centre_lines": about["true_num_center_lines"],
            "centre_lines_count_in_acceleration": about["centre_lines_count_in_acceleration"],
            "draws": "new in every training step; in evaluation fixed by each series' name, from other keys",
        },
        "noise": _noise(config, dataset),
        "normalisation": "one factor a series, from the undersampled data only, undone at the output",
        "coil_maps": _coil_maps(dataset),
        "metrics": about["metrics"] | {"heart": about["heart"]},
        "methods": {
            **{name: _TUNING.get(name, "see its docstring") for name in config.methods},
            "model": {
                "parameters": sum(a.size for a in jax.tree.leaves(state.params)),
                "seconds_per_series": result["methods"]["model"]["seconds"]["median"],
            },
        },
        "prospective_data": False,
        "failures_shown": "figures/worst-1 … worst-3: the series with the lowest PSNR of the model",
        "environment": workdir.environment(),
    }


def _coil_maps(dataset: Dataset) -> str:
    if "maps estimated" in dataset.facts.get("coils", ""):
        return (
            "ESPIRiT on all of k-space; the same maps make the reference, the simulated k-space and the "
            "reconstruction, which is easier than maps from undersampled data"
        )
    return "given with the data, not estimated"


def _noise(config: ConfigDict, dataset: Dataset) -> dict[str, Any]:
    added = config.noise.sigma > 0
    return {
        "sigma": config.noise.sigma,
        "meaning": "complex white noise in k-space; σ as a fraction of the 99th percentile of the magnitude",
        "reference_is_noise_free": bool(dataset.facts.get("noise_free_reference", False)),
        "reference_shares_the_added_noise": False,
        "statement": "noise added to the input only" if added else "no noise was added",
    }


def _matrix(dataset: Dataset) -> list[list[int]]:
    """The distinct shapes [frame, y, x] of the series."""
    return [list(shape) for shape in sorted({s.cine.shape for s in dataset.series})]
