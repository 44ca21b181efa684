"""The honest-benchmark statement of an evaluation: what its numbers rest on, and what not."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jax
from ml_collections import ConfigDict

from jdmri.data.records import Dataset
from jdmri.models import pretrained
from jdmri.studies import tune
from jdmri.training import build, workdir
from jdmri.training.state import TrainState

_FILLING = "no parameters, not iterative, nothing tuned"
_FILLINGS = ("zero_filled", "temporal_average", "view_sharing")


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
            "same_data_as_training": build.same_data(config, trained),
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
        "kspace": _kspace(config, dataset),
        "normalisation": "one factor a series, from the undersampled data only, undone at the output",
        "coil_maps": _coil_maps(config, dataset),
        "metrics": about["metrics"] | {"heart": about["heart"]},
        "methods": {
            **{name: _method(config, name, dataset) for name in config.methods},
            "model": {
                "parameters": sum(a.size for a in jax.tree.leaves(state.params)),
                "seconds_per_series": result["methods"]["model"]["seconds"]["median"],
            },
        },
        "prospective_data": False,
        "failures_shown": "figures/worst-1 … worst-3: the series with the lowest PSNR of the model",
        "environment": workdir.environment(),
    }


def _method(config: ConfigDict, name: str, dataset: Dataset) -> str:
    """Say with which parameters a row beside the model ran; iterations and residuals are in the table."""
    if name in _FILLINGS:
        return _FILLING
    if name == pretrained.NAME:
        about = pretrained.card()
        return f"{about['name']}, trained on phantoms only ({about['trained']['date']}); SHA-256 {about['sha256']}"
    tuned = tune.lookup(config, name, dataset.series[0].shape.coils)
    if not tuned:
        return "defaults of its factory, not tuned for these data; stopped as its docstring says"
    return f"tuned ({Path(config.tuned).name}, by validation PSNR for this mask and noise): {tuned}"


def _coil_maps(config: ConfigDict, dataset: Dataset) -> str:
    """Say which maps made the reference and which the reconstruction was given."""
    estimated = "maps estimated" in dataset.facts.get("coils", "")
    reference = "by ESPIRiT from all of k-space" if estimated else "of the data"
    if config.coil_maps.name != "given":
        return (
            f"reference: maps {reference}; reconstruction: maps by {config.coil_maps.to_dict()} from each undersampled "
            f"acquisition"
        )
    easier = (
        "; easier than maps from undersampled data" if dataset.series[0].shape.coils > 1 else ""
    )
    return f"reference and reconstruction: the same maps, {reference}{easier}"


def _kspace(config: ConfigDict, dataset: Dataset) -> str:
    measured = sum(one.measured for one in dataset.series)
    if not measured:
        return "simulated from the reference by the model that reconstructs (inverse crime)"
    sums = {"sense": "SENSE combination", "rss": "root sum of squares"}
    combination = sums[config.data.reference]
    return f"as measured in {measured} of {len(dataset.series)} series, whose reference ({combination}) shares its noise"


def _noise(config: ConfigDict, dataset: Dataset) -> dict[str, Any]:
    added = config.noise.sigma > 0 and not all(one.measured for one in dataset.series)
    return {
        "sigma": config.noise.sigma,
        "meaning": "complex white noise in k-space; σ as a fraction of the 99th percentile of the magnitude",
        "reference_is_noise_free": bool(dataset.facts.get("noise_free_reference", False)),
        "reference_shares_the_added_noise": False,
        "statement": "noise added to simulated k-space only" if added else "no noise was added",
    }


def _matrix(dataset: Dataset) -> list[list[int]]:
    """The distinct shapes [frame, y, x] of the series."""
    return [
        list(shape)
        for shape in sorted(
            {(s.shape.frames, s.shape.lines, s.shape.columns) for s in dataset.series}
        )
    ]
