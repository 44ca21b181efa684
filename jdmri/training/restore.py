"""Reconstructing measured data with a trained network."""

from collections.abc import Callable
from pathlib import Path

import jax

from jdmri.errors import InputError
from jdmri.models import pretrained
from jdmri.models.reconstructor import reconstructor
from jdmri.training import build, workdir
from jdmri.typing import Cine, CoilMaps, KSpace, Mask


def restore(
    folder: str | Path, checkpoint: str = "best"
) -> Callable[[KSpace, CoilMaps, Mask], Cine]:
    """Restore the network of a workdir, or the one of the package; see `jdmri.restore`."""
    folder = Path(folder)
    if str(folder) == pretrained.NAME and not folder.is_dir():
        if checkpoint != "best":
            raise InputError(f"{folder} has one set of weights, got checkpoint {checkpoint!r}.")
        return pretrained.flagship()
    config = workdir.load_config(folder)
    state, _ = build.restore_state(config, folder, checkpoint)
    return reconstructor(build.build_model(config), jax.device_put(state.variables))
