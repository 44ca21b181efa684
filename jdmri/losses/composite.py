"""A weighted sum of other losses, each with a beginning and an end."""

from collections.abc import Mapping
from typing import Any

import jax.numpy as jnp

from jdmri.errors import InputError
from jdmri.losses.family import LOSSES, Loss


@LOSSES.register("composite")
def composite(*, terms: Mapping[str, Mapping[str, Any]]) -> Loss:
    """Sum of ``weight`` × loss over ``terms`` (S0's recommendation: L1 with SSIM or perceptual).

    Args:
        terms: by name of the loss: ``weight``, optionally ``start`` and ``end`` (steps; 0: it never ends), and
            ``arguments`` of that loss. E.g. ``{"l1": {"weight": 1.0}, "ssim": {"weight": 0.1, "start": 500}}``.

    Raises:
        InputError: no terms, or a term without a weight or with an unknown field.
    """
    if not terms:
        raise InputError("terms is empty; e.g. terms=dict(l1=dict(weight=1.0)).")
    built = [_term(name, dict(fields)) for name, fields in terms.items()]

    def loss(estimate, reference, step):
        return sum(
            jnp.where((step >= start) & (step < end), weight, 0.0) * part(estimate, reference, step)
            for weight, start, end, part in built
        )

    return loss


def _term(name: str, fields: dict[str, Any]) -> tuple[float, float, float, Loss]:
    unknown = set(fields) - {"weight", "start", "end", "arguments"}
    if unknown or "weight" not in fields:
        raise InputError(
            f"terms.{name} takes weight (needed), start, end and arguments; got {', '.join(fields) or 'nothing'}."
        )
    end = fields.get("end", 0) or float("inf")
    part = LOSSES.build({"name": name} | dict(fields.get("arguments", {})))
    return float(fields["weight"]), float(fields.get("start", 0)), float(end), part
