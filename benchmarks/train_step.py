"""Time of one training step: compile, step, peak memory, and the share of masks and physics in it.

    python benchmarks/train_step.py                     demo and the dual UNet at width 16
    python benchmarks/train_step.py --width=64          the dual UNet as in configs/dual_unet.py

One series a batch, on whatever device JAX finds; medians of 10 steps after 2. "Simulation" is everything between
the stored cine and the network: augmentation, mask, Fourier transform, noise; compiled and timed alone.
"""

import argparse
import statistics
import time
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import NamedSharding
from jax.sharding import PartitionSpec as P

from configs import demo, dual_unet
from jdmri import memory, optim, phantom, scale, setup, state, step
from jdmri.ops.acquire import acquire

REPEATS = 10


def main():
    """Print one row a network."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--width", type=int, default=16, help="of the dual UNet")
    parser.add_argument("--sizes", type=int, nargs="+", default=[96, 192])
    options = parser.parse_args()
    device = jax.devices()[0]
    print(
        f"{device.platform} {device.device_kind}, jax {jax.__version__}, float32, batch 1, 20 frames"
    )
    print(
        "| network | matrix | parameters | compile s | step ms | temporary MiB | simulation % | FFT of DC % |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for size in options.sizes:
        measure("demo", demo.get_config(), size)
        config = dual_unet.get_config()
        config.model.denoiser.width = options.width
        measure(f"dual_unet {options.width}", config, size)


def measure(name, config, size):
    """Compile and time one network."""
    task = setup.build_task(config)
    key = jax.random.key(0)
    cine, maps, *_ = phantom.simulate(key, num_frames=20, matrix=(size, size))
    examples = step.Examples(cine[None], maps[None], jnp.full(1, 0.02), jnp.zeros(1, jnp.uint32))
    optimizer, _ = optim.build(config.optimizer.to_dict(), 1000)
    mesh = jax.make_mesh(
        (1,), ("data",), axis_types=(jax.sharding.AxisType.Auto,), devices=jax.devices()[:1]
    )
    current = state.create(task.model, optimizer, 0)
    current, examples = jax.device_put((current, examples), NamedSharding(mesh, P()))
    train_step = step.make_train_step(task, optimizer, batch_size=1, ema_decay=0.99, mesh=mesh)
    start = time.perf_counter()
    compiled = train_step.lower(current, examples).compile()
    compile_seconds = time.perf_counter() - start
    seconds = []
    for _ in range(REPEATS + 2):
        start = time.perf_counter()
        current, _ = jax.block_until_ready(compiled(current, examples))
        seconds.append(time.perf_counter() - start)
    whole = statistics.median(seconds[2:])
    simulated = median_time(partial(simulate, task), key, cine, maps)
    transforms = transform_time(config, cine)
    parameters = sum(a.size for a in jax.tree.leaves(current.params))
    print(
        f"| {name} | {size} | {parameters:,} | {compile_seconds:.1f} | {1e3 * whole:.0f} | "
        f"{memory.estimate(compiled) / 2**20:.0f} | {100 * simulated / whole:.1f} | {100 * transforms / whole:.1f} |",
        flush=True,
    )


def simulate(task, key, cine, maps):
    """Everything between the stored cine and the network."""
    keys = step.draw_keys(key)
    cine, maps = task.augment(keys.augment, cine, maps)
    mask = task.sampler(keys.mask, cine.shape)
    kspace = acquire(keys.noise, cine, maps, mask, jnp.float32(0.02))
    return kspace / scale.signal_level(kspace, maps, mask)


def transform_time(config, cine):
    """Time the one-dimensional transforms of data consistency: two a cascade, forward and backward."""
    cascades = config.model.get("num_cascades", 0)
    pair = lambda x: jnp.fft.ifft(jnp.fft.fft(x, axis=-2), axis=-2)
    return 2 * cascades * median_time(pair, cine) if cascades else 0.0


def median_time(function, *arguments):
    """Compile ``function`` and take the median of some calls."""
    compiled = jax.jit(function)
    jax.block_until_ready(compiled(*arguments))
    seconds = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        jax.block_until_ready(compiled(*arguments))
        seconds.append(time.perf_counter() - start)
    return float(np.median(seconds))


if __name__ == "__main__":
    main()
