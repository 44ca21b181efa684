"""Gated cascades: a network that decides, pixel by pixel, how much of which physically meaningful update to take."""

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Complex, Float

from jdmri.classical.adaptive_tv import AdaptiveTV
from jdmri.models.layers.basic import from_channels, positive, to_channels
from jdmri.models.layers.precision import compute_in
from jdmri.models.registry import MODELS
from jdmri.models.unrolled.gate_body import GateBody
from jdmri.models.unrolled.tv_family import tv_family
from jdmri.ops import consistency, sense
from jdmri.typing import Array, Cine, CoilMaps, KSpace, Mask

# What the body sees is brought to about 1 (bright tissue is 1), and its residual begins small.
_GAIN, _GRADIENT_GAIN, _MEAN_GAIN, _RESIDUAL_GAIN = 10.0, 40.0, 10 / 3, 0.1
# The logarithms that it sees are centred at R 5.5 and at a residual of e⁻⁴.
_LOG_SHARE, _LOG_RESIDUAL = -1.7, -4.0


@MODELS.register("gated")
class Gated(nn.Module):
    """``num_cascades`` rounds of ``x ← x + Σ_b w_b b + ρ`` and soft data consistency, from adaptive total variation.

    The updates b are: to the other members of `tv_family`, down the gradient of the data, to the temporal mean, to the
    frame before and after, to the four neighbours in space. A small network (`GateBody`) gives each a real gate w_b(r, t), and a
    residual ρ; it sees the updates in the phase of the temporal mean of the start, so that a phase of the data does not
    matter, and two numbers: the share of sampled points, and the size of the residual, which tells of the noise.
    One set of weights fits any matrix, any number of frames and coils. Untrained, it is adaptive total variation with
    soft data consistency.

    A plain residual network learns nothing beyond such a start in hundreds of steps, because what total variation leaves
    looks like noise; a gate needs to learn only where.

    Attributes:
        width: channels of the body.
        depth: its pairs of spatial and temporal convolutions.
        num_cascades: rounds, each with a body of its own; it sees what that of the round before had inside.
        initial_weight: λ of data consistency at the start, > 0. A large one would put noise back that total variation
            has removed.
        precision: of the bodies: ``float32``, ``tf32`` or ``bfloat16``.
        cyclic: whether the last frame is followed by the first.
    """

    width: int = 64
    depth: int = 2
    num_cascades: int = 4
    initial_weight: float = 0.3
    precision: str = "float32"
    cyclic: bool = True

    @nn.compact
    def __call__(self, kspace: KSpace, maps: CoilMaps, mask: Mask, train: bool = False) -> Cine:
        """Reconstruct ``[batch, frame, y, x]`` from undersampled k-space whose signal level is 1."""
        family = tv_family(kspace, maps, mask, AdaptiveTV(cyclic=self.cyclic))
        encoding, data = sense.fold(kspace, maps, mask)
        x, others, hidden = family[:, 0], jnp.moveaxis(family[:, 1:], 1, 0), None
        phase = _phase(jnp.mean(x, axis=1, keepdims=True))
        for index in range(self.num_cascades):
            weight = positive(self, f"weight_{index}", self.initial_weight)
            gradient = encoding.adjoint(encoding.transform(x) - data)
            mean = jnp.mean(x, axis=1, keepdims=True)
            to_others = [other - x for other in others]
            seen = self._seen(to_others, gradient, x, mean, phase, mask)
            updates = [*to_others, gradient, mean - x, *to_neighbours(x, self.cyclic)]
            body = GateBody(
                2 + len(updates), self.width, self.depth, self.cyclic, name=f"body_{index}"
            )
            with compute_in(self.precision):
                out, hidden = body(seen, hidden)
            change = sum(out[..., 2 + i] * update for i, update in enumerate(updates))
            change = change + _RESIDUAL_GAIN * from_channels(out[..., :2]) * phase
            x = consistency.soft(x + change, data, encoding, weight)
        return x

    def _seen(self, to_others, gradient, x, mean, phase, mask) -> Float[Array, "b t y x c"]:
        turned = lambda image: to_channels(image * phase.conj())
        images = [_GAIN * turned(update) for update in to_others]
        images += [_GRADIENT_GAIN * turned(gradient), _GAIN * turned(x - mean)]
        constant = [_MEAN_GAIN * turned(mean), _conditions(gradient, mask)]
        spread = [jnp.broadcast_to(c, (*x.shape, 2)) for c in constant]
        return jnp.concatenate([*images, *spread], axis=-1)


def to_neighbours(x: Cine, cyclic: bool) -> list[Cine]:
    """Return the six differences to the frame before, after, and the pixels around; images are periodic in space.

    Where time does not wrap round, an end has no difference beyond it.
    """
    differences = [jnp.roll(x, s, a) - x for a in (-3, -2, -1) for s in (1, -1)]
    if not cyclic:
        differences[0] = differences[0].at[..., 0, :, :].set(0)
        differences[1] = differences[1].at[..., -1, :, :].set(0)
    return differences


def _conditions(gradient: Cine, mask: Mask) -> Float[Array, "b 1 1 1 2"]:
    """Return log of the share of sampled points, and of the residual at them, for each series."""
    share = jnp.mean(mask.astype(jnp.float32), axis=(-3, -2, -1), keepdims=True)
    power = jnp.mean(gradient.real**2 + gradient.imag**2, axis=(-3, -2, -1), keepdims=True)
    residual = 0.5 * jnp.log(power / share + 1e-9)
    return jnp.stack([jnp.log(share) - _LOG_SHARE, residual - _LOG_RESIDUAL], axis=-1)


def _phase(image: Complex[Array, "..."]) -> Complex[Array, "..."]:
    """Divide by the magnitude; towards 0 where there is no signal."""
    return image / jnp.sqrt(image.real**2 + image.imag**2 + 1e-8)
