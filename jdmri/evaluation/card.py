"""The honest-benchmark statement of an evaluation: what its numbers rest on, and what not."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import jax

from jdmri.data.records import Dataset
from jdmri.evaluation.methods import lookup
from jdmri.evaluation.protocol import Protocol
from jdmri.models import pretrained
from jdmri.training import workdir
from jdmri.training.state import TrainState

_FILLING = "no parameters, not iterative, nothing tuned"
_COILS = {
    "none": "single coil",
    "given": "{} simulated coils",
    "estimated": "{} coils, maps estimated",
}
_FILLINGS = ("zero_filled", "temporal_average", "view_sharing")


class Training(NamedTuple):
    """What the evaluated network was trained on.

    Attributes:
        data: name of the reader.
        same_data: whether the evaluated data are the run's own.
        state: the evaluated checkpoint.
    """

    data: str
    same_data: bool
    state: TrainState


def statement(
    protocol: Protocol, training: Training, dataset: Dataset, result: Mapping[str, Any]
) -> dict[str, Any]:
    """Build ``card.json``.

    Args:
        protocol: of the evaluation.
        training: of the network.
        dataset: what was evaluated.
        result: the content of ``summary.json``.
    """
    about, state = result["protocol"], training.state
    return {
        "data": _data(dataset),
        "split": {
            "evaluated": about["split"],
            "by": "subject",
            "scheme": protocol.split,
            "subjects_evaluated": about["num_subjects"],
            "same_data_as_training": training.same_data,
        },
        "training": {
            "data": training.data,
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
        "noise": _noise(protocol, dataset),
        "kspace": _kspace(protocol, dataset),
        "normalisation": "one factor a series, from the undersampled data only, undone at the output",
        "coil_maps": _coil_maps(protocol, dataset),
        "metrics": about["metrics"] | {"heart": about["heart"]},
        "methods": {
            **{name: _method(protocol, name, dataset) for name in protocol.methods},
            "model": {
                "parameters": sum(a.size for a in jax.tree.leaves(state.params)),
                "seconds_per_series": result["methods"]["model"]["seconds"]["median"],
            },
        },
        "prospective_data": False,
        "failures_shown": "figures/worst-1 … worst-3: the series with the lowest PSNR of the model",
        "environment": workdir.environment(),
    }


def _data(dataset: Dataset) -> dict[str, Any]:
    """State what is known of the data; fields that do not apply are left out."""
    facts = dataset.facts
    coils = " or ".join(map(str, facts.coils))
    given = {"phase": facts.phase, "coil_compression": facts.coil_compression}
    return {
        "source": facts.source,
        "complex": facts.complex,
        "noise_free_reference": facts.noise_free_reference,
        "coils": _COILS[facts.maps].format(coils),
        "subjects_known": facts.subjects_known,
        "warnings": list(facts.warnings),
        **{name: text for name, text in given.items() if text},
        "name": dataset.name,
        "matrix": _matrix(dataset),
    }


def _method(protocol: Protocol, name: str, dataset: Dataset) -> str:
    """Say with which parameters a method without training ran; iterations and residuals are in the table."""
    if name in _FILLINGS:
        return _FILLING
    if name == pretrained.NAME:
        about = pretrained.card()
        return f"{about['name']}, trained on phantoms only ({about['trained']['date']}); SHA-256 {about['sha256']}"
    tuned = lookup(protocol, name, dataset.series[0].shape.coils)
    if not tuned:
        return "defaults of its factory, not tuned for these data; stopped as its docstring says"
    return (
        f"tuned ({Path(protocol.tuned).name}, by validation PSNR for this mask and noise): {tuned}"
    )


def _coil_maps(protocol: Protocol, dataset: Dataset) -> str:
    """Say which maps made the reference and which the reconstruction was given."""
    estimated = dataset.facts.maps == "estimated"
    reference = "by ESPIRiT from all of k-space" if estimated else "of the data"
    if protocol.coil_maps["name"] != "given":
        return (
            f"reference: maps {reference}; reconstruction: maps by {protocol.coil_maps} from each undersampled "
            f"acquisition"
        )
    easier = (
        "; easier than maps from undersampled data" if dataset.series[0].shape.coils > 1 else ""
    )
    return f"reference and reconstruction: the same maps, {reference}{easier}"


def _kspace(protocol: Protocol, dataset: Dataset) -> str:
    measured = sum(one.measured for one in dataset.series)
    if not measured:
        return "simulated from the reference by the model that reconstructs (inverse crime)"
    sums = {"sense": "SENSE combination", "rss": "root sum of squares"}
    combination = sums[protocol.data["reference"]]
    return f"as measured in {measured} of {len(dataset.series)} series, whose reference ({combination}) shares its noise"


def _noise(protocol: Protocol, dataset: Dataset) -> dict[str, Any]:
    added = protocol.noise_sigma > 0 and not all(one.measured for one in dataset.series)
    return {
        "sigma": protocol.noise_sigma,
        "meaning": "complex white noise in k-space; σ as a fraction of the 99th percentile of the magnitude",
        "reference_is_noise_free": dataset.facts.noise_free_reference,
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
