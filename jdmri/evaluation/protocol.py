"""The protocol of an evaluation: what its numbers were measured with, and that no other is overwritten."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jax
import numpy as np

from jdmri import masks, metrics
from jdmri.data.records import Dataset, SeriesLike
from jdmri.errors import InputError
from jdmri.runtime import files
from jdmri.training import workdir
from jdmri.training.workdir import Config

_PLACES = ("cache_dir", "path")  # where the data lie, not what they are


@dataclasses.dataclass(frozen=True)
class Protocol:
    """What an evaluation is done with.

    Attributes:
        data: settings of the reader, but the places of files.
        split: by which scheme subjects are divided.
        mask: family and settings.
        noise_sigma: σ of the noise added to simulated k-space, as a fraction of bright tissue.
        coil_maps: where the maps of reconstructions come from.
        eval_seed: of masks and noise.
        metrics: names.
        methods: names of the rows beside the model.
        tuned: table of their parameters; "": those of their factories.
    """

    data: Mapping[str, Any]
    split: Mapping[str, Any]
    mask: Mapping[str, Any]
    noise_sigma: float
    coil_maps: Mapping[str, Any]
    eval_seed: int
    metrics: tuple[str, ...]
    methods: tuple[str, ...]
    tuned: str

    @classmethod
    def of(cls, config: Config) -> "Protocol":
        """Take it from the config of a run."""
        return cls(
            data={k: v for k, v in config.data.to_dict().items() if k not in _PLACES},
            split=config.split.to_dict(),
            mask=config.mask.to_dict(),
            noise_sigma=config.noise.sigma,
            coil_maps=config.coil_maps.to_dict(),
            eval_seed=config.eval.seed,
            metrics=config.metrics,
            methods=config.methods,
            tuned=config.tuned,
        )

    def statement(
        self, dataset: Dataset, series: Sequence[SeriesLike], part: str, drawn: Sequence[jax.Array]
    ) -> dict[str, Any]:
        """State how the numbers of ``summary.json`` come about.

        Args:
            dataset: the source of the series.
            series: those that are evaluated.
            part: ``train``, ``validation``, ``test`` or ``all``.
            drawn: the masks, one a series.
        """
        described = [masks.describe(mask) for mask in drawn]
        return {
            "data": dataset.name,
            "split": part,
            "num_series": len(series),
            "num_subjects": len({s.subject for s in series}),
            "unit": "subject (mean over its series)",
            "mask": self.mask,
            "centre_lines_count_in_acceleration": masks.MASKS.build(self.mask).counts_centre,
            **{f"true_{k}": float(np.mean([d[k] for d in described])) for k in described[0]},
            "noise_sigma": self.noise_sigma,
            "coil_maps": self.coil_maps,
            "eval_seed": self.eval_seed,
            "split_scheme": self.split,
            "data_settings": self.data,
            "metrics": {name: metrics.facts(name).protocol for name in self.metrics},
            "heart": "NAME_heart: the same metric on a box of 5/12 of each side around what beats once a cycle, frozen from the reference",
            "seconds": metrics.facts("seconds").protocol,
        }


def refuse_other(path: Path, wanted: Mapping[str, Any]) -> None:
    """Refuse to overwrite an evaluation that was made with another protocol.

    Raises:
        InputError: naming what differs.
    """
    if not path.is_file():
        return
    changes = workdir.differences(files.read_json(path)["protocol"], wanted)
    changes = [c for c in changes if not c.startswith("checkpoint:")]
    if changes:
        raise InputError(
            f"{path.parent} holds an evaluation with another protocol ({'; '.join(changes[:4])}); "
            f"choose another name with --config.eval.name=NAME."
        )
