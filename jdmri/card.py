"""The honest-benchmark statement of an evaluation: what its numbers rest on, and what not."""

from collections.abc import Mapping
from typing import Any

import jax
from ml_collections import ConfigDict

from jdmri import setup, workdir
from jdmri.data.series import Dataset
from jdmri.state import TrainState


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
        "coil_maps": "given with the data, not estimated",
        "metrics": about["metrics"] | {"heart": about["heart"]},
        "methods": {
            "zero_filled, temporal_average, view_sharing": "no parameters, not iterative, nothing tuned",
            "model": {
                "parameters": sum(a.size for a in jax.tree.leaves(state.params)),
                "seconds_per_series": result["methods"]["model"]["seconds"]["median"],
            },
        },
        "prospective_data": False,
        "failures_shown": "figures/worst-1 … worst-3: the series with the lowest PSNR of the model",
        "environment": workdir.environment(),
    }


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
