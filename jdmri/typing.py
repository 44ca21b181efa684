"""Array types. Axis names: ``frame`` (time), ``coil``, ``ky``/``kx`` (k-space), ``y``/``x`` (image).

Phase encoding runs along ``ky``, the second to last axis; ``kx`` of a mask may be 1 (line masks).
Fourier transforms are centred and orthonormal. One coil is a coil axis of length 1.
"""

import jax
import numpy as np
from jaxtyping import Bool, Complex, Float, Key, UInt32

Array = jax.Array | np.ndarray
Cine = Complex[Array, "*batch frame y x"]
CoilMaps = Complex[Array, "*batch coil y x"]
KSpace = Complex[Array, "*batch frame coil ky kx"]
Mask = Bool[Array, "*batch frame ky #kx"]
Scalar = Float[Array, ""] | float
# A typed key (`jax.random.key`) or the older pair of words (`jax.random.PRNGKey`).
PRNGKey = Key[Array, ""] | UInt32[Array, "2"]
