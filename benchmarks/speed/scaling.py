"""How time and memory of a training step grow: with frames, cascades, matrix, coils and batch; exponents fitted.

    python -m benchmarks.speed.scaling                        (2+1)-D cascade of width 16 on 20×96×96, one coil
    python -m benchmarks.speed.scaling --policies             memory policies for 1 to 12 cascades: time and temporary memory
    python -m benchmarks.speed.scaling --policies --cascades 12 --matrix 192 --coils 8 --width 32 --no_steps      what XLA plans, without running

Only one quantity changes at a time. Arithmetic is what XLA counts; time and temporary memory should not grow faster. The exponent is the slope
of a straight line through the logarithms. Medians of five steps.
"""

import argparse
import statistics
import time

import jax
import jax.numpy as jnp
import numpy as np

from configs import cascade
from jdmri.models.unrolled.rounds import MEMORY
from jdmri.runtime import memory
from jdmri.studies import cost
from jdmri.training.examples import Examples

BASE = dict(frames=20, cascades=3, matrix=96, coils=1, batch=1)
AXES = dict(
    frames=(10, 20, 40),
    cascades=(1, 3, 6, 12),
    matrix=(96, 128, 192, 256),
    coils=(1, 4, 8, 16, 32),
    batch=(1, 2, 4),
)
WIDTH, REPEATS = 16, 5


def main():
    """Print a table for each quantity, or for the memory policies."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--policies", action="store_true")
    parser.add_argument("--memory", nargs="+", default=MEMORY, choices=MEMORY, help="which")
    parser.add_argument("--only", nargs="+", default=list(AXES), choices=list(AXES))
    parser.add_argument("--cascades", type=int, nargs="+", default=[1, 3, 6, 12])
    parser.add_argument("--matrix", type=int, default=96)
    parser.add_argument("--coils", type=int, default=1)
    parser.add_argument("--width", type=int, default=WIDTH)
    parser.add_argument("--no_steps", action="store_true", help="compile only")
    options = parser.parse_args()
    memory.keep_freed()  # as the command line does
    if options.policies:
        policies(options)
        return
    for axis in options.only:
        grow(axis)


def grow(axis):
    """Measure each value of one quantity."""
    print(f"\n| {axis} | GFLOP | step ms | temporary MiB |\n|---|---|---|---|")
    rows = []
    for value in AXES[axis]:
        rows.append(measure(BASE | {axis: value}))
        flops, seconds, size = rows[-1]
        print(
            f"| {value} | {flops / 1e9:.1f} | {1e3 * seconds:.0f} | {size / 2**20:.0f} |",
            flush=True,
        )
    slopes = np.polyfit(np.log(AXES[axis]), np.log(rows), 1)[0]
    print("| exponent | " + " | ".join(f"{s:.2f}" for s in slopes) + " |")


def policies(options):
    """Measure each memory policy for several numbers of cascades."""
    print("| cascades | memory | compile s | step ms | temporary MiB |\n|---|---|---|---|---|")
    for count in options.cascades:
        for name in options.memory:
            case = BASE | dict(cascades=count, matrix=options.matrix, coils=options.coils)
            start = time.perf_counter()
            repeats = 0 if options.no_steps else REPEATS
            _, seconds, size = measure(case, name, options.width, repeats)
            compiled = time.perf_counter() - start - seconds * (repeats + 1)
            step = f"{1e3 * seconds:.0f}" if repeats else "–"
            print(
                f"| {count} | {name} | {compiled:.0f} | {step} | {size / 2**20:.0f} |", flush=True
            )


def measure(case, policy="plain", width=WIDTH, repeats=REPEATS):
    """Compile and time one step: operations, seconds, temporary bytes."""
    config = cascade.get_config(str(case["cascades"]))
    config.model.denoiser.width = width
    config.model.memory = policy
    config.train.batch_size = case["batch"]
    size = (case["matrix"], case["matrix"])
    cine = jax.random.normal(jax.random.key(0), (case["frames"], *size), jnp.complex64)
    maps = jnp.full((case["coils"], *size), case["coils"] ** -0.5, jnp.complex64)
    stack = lambda a: jnp.broadcast_to(a, (case["batch"], *a.shape))
    seeds = jnp.arange(case["batch"], dtype=jnp.uint32)
    examples = Examples(stack(cine), stack(maps), jnp.full(case["batch"], 0.02), seeds)
    compiled, state, *data = cost.compile_step(config, examples)
    flops = (compiled.cost_analysis() or {}).get("flops", 0.0)
    if not repeats:
        return flops, 0.0, memory.estimate(compiled)
    seconds = []
    for _ in range(repeats + 1):
        start = time.perf_counter()
        state, _ = jax.block_until_ready(compiled(state, *data))
        seconds.append(time.perf_counter() - start)
    return flops, statistics.median(seconds[1:]), memory.estimate(compiled)


if __name__ == "__main__":
    main()
