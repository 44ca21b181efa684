"""The base of unrolled networks: rounds of a denoiser and a return to the measured data."""

import flax.linen as nn
import jax
import jax.numpy as jnp
from jax import lax

from jdmri.errors import InputError
from jdmri.models.layers.precision import compute_in
from jdmri.models.unrolled.start import starting_image
from jdmri.ops import sense
from jdmri.ops.sense import Encoding
from jdmri.typing import Cine, CoilMaps, KSpace, Mask, Scalar

MEMORY = ("plain", "remat", "scan_remat")


class Unrolled(nn.Module):
    """``num_cascades`` rounds of ``x ← to_data(D(x), x)``; a network defines `numbers` and `to_data`.

    Attributes:
        denoiser: D, maps a cine to a cine; any module of ``DENOISERS``.
        num_cascades: number of rounds.
        memory: ``plain``; ``remat``: recompute each denoiser in the backward pass, less memory for more time; or ``scan_remat``: all
            rounds as one loop besides; with jax 0.10 a CPU saves memory only so.
        precision: of the denoiser: ``float32``, ``tf32`` or ``bfloat16``.
        start: ``zero_filled``, ``temporal_average`` or ``view_sharing``.
        cyclic: whether the last frame is followed by the first.
    """

    denoiser: nn.Module
    num_cascades: int = 3
    memory: str = "plain"
    precision: str = "float32"
    start: str = "temporal_average"
    cyclic: bool = True

    # One set of weights for all rounds, or a copy each, ``denoiser_0`` and on. Not a field: a network fixes it or asks.
    shared = False

    @nn.compact
    def __call__(self, kspace: KSpace, maps: CoilMaps, mask: Mask, train: bool = False) -> Cine:
        """Reconstruct ``[batch, frame, y, x]`` from undersampled k-space.

        Raises:
            InputError: ``memory`` is not known, or the denoiser has batch statistics, which a scan cannot gather.
        """
        if self.memory not in MEMORY:
            raise InputError(f"memory must be one of {', '.join(MEMORY)}, got {self.memory!r}.")
        encoding, data = sense.fold(kspace, maps, mask)
        cine = starting_image(self.start, data, encoding, cyclic=self.cyclic)
        to_data = lambda denoised, cine, number: self.to_data(
            denoised, cine, data, encoding, number
        )
        if self.memory == "scan_remat" and not self.is_initializing():
            return self._scan(cine, to_data, train)
        for index, number in enumerate(self.numbers()):
            denoised = self._denoise(cine, self._name(index), train)
            cine = to_data(denoised, cine, number)
        return cine

    def numbers(self) -> list[Scalar]:
        """Return what `to_data` learns, one number for each round."""
        raise NotImplementedError

    def to_data(
        self, denoised: Cine, cine: Cine, data: KSpace, encoding: Encoding, number: Scalar
    ) -> Cine:
        """Return to the measured data.

        Args:
            denoised: D(x).
            cine: x.
            data: measured k-space, as `sense.fold` gives it.
            encoding: the operator that belongs to ``data``.
            number: of this round, from `numbers`.
        """
        raise NotImplementedError

    def _name(self, index: int) -> str:
        return "denoiser" if self.shared else f"denoiser_{index}"

    def _denoise(self, cine: Cine, name: str, train: bool) -> Cine:
        denoiser = self.denoiser
        if name != "denoiser":
            denoiser = denoiser.clone(parent=self, name=name)
        call = lambda module, image: denoise(module, image, train, self.precision)
        return (nn.remat(call) if self.memory == "remat" else call)(denoiser, cine)

    def _scan(self, cine, to_data, train) -> Cine:
        """Run the rounds as one loop that keeps only the image of each, and recomputes the rest in the backward pass."""
        if self.variables.get("batch_stats"):
            raise InputError(
                "memory=scan_remat needs a denoiser without batch normalisation; use remat."
            )
        numbers = self.numbers()
        weights = [self.variables["params"][self._name(i)] for i in range(self.num_cascades)]
        keys = [self.make_rng("dropout")] if self.has_rng("dropout") else []
        free = self.denoiser.clone(parent=None)

        @jax.checkpoint
        def one(image, inputs):
            own, number, index = inputs
            rngs = {"dropout": jax.random.fold_in(keys[0], index)} if keys else {}
            with compute_in(self.precision):
                denoised = free.apply({"params": own}, image, train, rngs=rngs)
            return to_data(denoised, image, number), None

        stacked = jax.tree.map(lambda *a: jnp.stack(a), *zip(weights, numbers, strict=True))
        return lax.scan(one, cine, (*stacked, jnp.arange(self.num_cascades)))[0]


def denoise(denoiser: nn.Module, cine: Cine, train: bool, precision: str) -> Cine:
    """Apply a denoiser in a precision."""
    with compute_in(precision):
        return denoiser(cine, train)
