"""The number format that the layers of a denoiser compute in; parameters, physics and losses stay float32 and complex64."""

import contextlib
import contextvars
from collections.abc import Iterator

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from jdmri.errors import InputError
from jdmri.models.layers import convolution

PRECISIONS = ("float32", "tf32", "bfloat16")
_COMPUTE = contextvars.ContextVar("compute", default=None)


@contextlib.contextmanager
def compute_in(precision: str) -> Iterator[None]:
    """Let the layers that are applied inside compute in a format.

    Args:
        precision: ``float32``; ``tf32``: products in TensorFloat-32, on GPUs that have it; or ``bfloat16``, with batch
            statistics in float32.

    Raises:
        InputError: another word.
    """
    if precision not in PRECISIONS:
        raise InputError(f"precision must be one of {', '.join(PRECISIONS)}, got {precision!r}.")
    token = _COMPUTE.set(jnp.dtype(jnp.bfloat16) if precision == "bfloat16" else None)
    products = "tensorfloat32" if precision == "tf32" else "float32"
    # JAX's own default is TensorFloat-32 on GPUs that have it; a CPU has nothing to choose.
    exact = (
        contextlib.nullcontext() if convolution.on_cpu() else jax.default_matmul_precision(products)
    )
    try:
        with exact:
            yield
    finally:
        _COMPUTE.reset(token)


def dtype() -> jnp.dtype | None:
    """Return the format to compute in; None: that of parameters and input."""
    return _COMPUTE.get()


def narrow(x: Float[Array, "..."]) -> Float[Array, "..."]:
    """Bring a layer's input into the format to compute in."""
    return x if dtype() is None else x.astype(dtype())


def wide(x: Float[Array, "..."]) -> Float[Array, "..."]:
    """Bring a result back to float32 (float64 stays)."""
    return x.astype(jnp.promote_types(x.dtype, jnp.float32))
