"""Locally low rank: each block of pixels moves in few ways."""

import jax.numpy as jnp
from jaxtyping import Complex

from jdmri.classical import proximal, solvers
from jdmri.classical.method import METHODS, Iterative
from jdmri.classical.problem import Measured, Minimiser, Problem, check_settings, misfit
from jdmri.errors import InputError
from jdmri.typing import Array, Cine

Blocks = Complex[Array, "block frame pixel"]

# σ of the data, and that of the grids together, is 1.4 √λ: the duals of the grids grow with λ. Compared with 0.03, 0.05 and 0.1 on
# a phantom at R 4, 8 and 12, λ of 0.0005 to 0.01, masks per frame and shared; 0.1 for all takes two to three times the iterations
# where masks are shared. The least one serves λ → 0.
_STEP, _LEAST_STEP = 1.4, 0.01


@METHODS.register("llr")
def llr(
    *,
    weight: float = 0.002,
    block: int = 8,
    num_shifts: int = 2,
    tolerance: float = 1e-4,
    max_iterations: int = 1000,
    iterations: int = 0,
) -> Iterative:
    """Minimise ``½‖E x − y‖² + λ/n Σ_s Σ_b ‖C_b shift_s x‖_*`` by a primal–dual iteration.

    Locally low-rank regularisation (Trzasko & Manduca, Asilomar 2011, doi:10.1109/ACSSC.2011.6190048; Zhang et al. 2015,
    doi:10.1002/mrm.25421); C_b x is the matrix of frames by pixels of block b. Usual codes shift the grid at random in each
    iteration of FISTA, against the edges of blocks: their objective changes from one iteration to the next, they have no
    fixed point, and no residual can tell when to stop. Here the mean over n grids, shifted diagonally by
    ``block / n`` pixels, is the objective; each grid has a dual variable of its own.

    Args:
        weight: λ as a fraction of the largest singular value of any block of the temporal average.
        block: pixels along each side; images are filled up with zeros to a multiple.
        num_shifts: n; each costs as much as the first. 1 is the grid alone.
        tolerance: of the residual of `solvers.primal_dual`.
        max_iterations: stop in any case.
        iterations: stop after exactly so many instead; 0: do not.

    Raises:
        InputError: a setting out of range.
    """
    limits = dict(tolerance=tolerance, max_iterations=max_iterations, iterations=iterations)
    check_settings("llr", weight=weight, **limits)
    if not 1 <= num_shifts <= block:
        raise InputError(
            f"llr needs 1 <= num_shifts <= block, got num_shifts={num_shifts} and block={block}."
        )

    dual_step = max(_STEP * weight**0.5, _LEAST_STEP)

    def build(series: Measured) -> Problem:
        encoding, data, start, _ = series
        size = start.shape[-2:]
        largest = jnp.max(proximal.singular_values(to_blocks(start, block, 0)))
        radius = weight / num_shifts * largest

        def grid(shift):
            project = lambda blocks, _: proximal.project_spectral(blocks, radius)
            return solvers.Term(
                lambda cine: to_blocks(cine, block, shift),
                lambda blocks: from_blocks(blocks, block, shift, size),
                project,
                dual_step / num_shifts,
            )

        grids = [grid(i * block // num_shifts) for i in range(num_shifts)]
        terms = [solvers.least_squares(encoding.forward, encoding.adjoint, data, dual_step)]
        # Each grid is an isometry, so that M = σ_E + Σ σ_s.
        invert = lambda x: x / (2 * dual_step)
        algorithm = solvers.primal_dual([*terms, *grids], invert, start)

        def objective(cine):
            ranks = [jnp.sum(proximal.singular_values(g.operator(cine))) for g in grids]
            return misfit(series, cine) + radius * sum(ranks)

        return Problem(algorithm, objective)

    return Minimiser(build, **limits)


def to_blocks(cine: Cine, block: int, shift: int) -> Blocks:
    """Cut ``[frame, y, x]``, rolled by ``shift`` pixels along both axes, into matrices."""
    frames, *size = cine.shape
    filled = jnp.pad(cine, ((0, 0), *((0, -n % block) for n in size)))
    rolled = jnp.roll(filled, (shift, shift), (-2, -1))
    rows, columns = (n // block for n in rolled.shape[-2:])
    cut = rolled.reshape(frames, rows, block, columns, block).transpose(1, 3, 0, 2, 4)
    return cut.reshape(rows * columns, frames, block * block)


def from_blocks(blocks: Blocks, block: int, shift: int, size: tuple[int, int]) -> Cine:
    """Put the blocks back: the adjoint of `to_blocks`, and its inverse from the left."""
    rows, columns = (-(-n // block) for n in size)
    frames = blocks.shape[1]
    cut = blocks.reshape(rows, columns, frames, block, block).transpose(2, 0, 3, 1, 4)
    rolled = cut.reshape(frames, rows * block, columns * block)
    return jnp.roll(rolled, (-shift, -shift), (-2, -1))[..., : size[0], : size[1]]
