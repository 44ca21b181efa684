"""The trained network that comes with the package: its weights, their card, and a method of its name."""

import hashlib
import io
import json
from pathlib import Path
from typing import Any

import flax
import jax
import numpy as np

from jdmri.classical.method import METHODS, Method
from jdmri.errors import InputError
from jdmri.models.reconstructor import reconstructor
from jdmri.models.unrolled.gated import Gated

NAME = "flagship"
CAUTION = (
    "flagship was trained on synthetic hearts of one coil that beat periodically, never on measured data; a residual far above 1 "
    "says that the image contradicts the data. Compare with --method=adaptive_tv; see jdmri.models.pretrained.card()."
)
_CARD = Path(__file__).parents[1] / "weights" / "flagship-1.json"


@METHODS.register(NAME)
def flagship(*, cyclic: bool = True) -> Method:
    """Reconstruct by the `Gated` network that was trained on phantoms for every R from 2 to 12; see `card`.

    Args:
        cyclic: the last frame is followed by the first, as in gated series; it was trained for True only.

    Raises:
        InputError: the weights in the package are damaged.
    """
    section = {key: value for key, value in card()["model"].items() if key != "name"}
    return reconstructor(Gated(**section, cyclic=cyclic), {"params": jax.device_put(parameters())})


def card() -> dict[str, Any]:
    """Return what the weights were trained on, what they never saw, and what was measured."""
    return json.loads(_CARD.read_text())


def parameters() -> dict[str, Any]:
    """Read the weights: nested dictionaries of float32 arrays.

    Raises:
        InputError: they are not those of the card.
    """
    about = card()
    path = _CARD.with_name(about["file"])
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != about["sha256"]:
        raise InputError(
            f"{path} is damaged: its SHA-256 is not that of its card; reinstall jdmri."
        )
    with np.load(io.BytesIO(content)) as arrays:
        flat = {tuple(name.split("/")): arrays[name].astype(np.float32) for name in arrays}
    return flax.traverse_util.unflatten_dict(flat)
