"""What besides the network takes time in a training step: masks, augmentation, undersampling, Fourier transforms, waiting for data.

    python -m benchmarks.speed.pipeline                       demo and the dual UNet at width 16
    python -m benchmarks.speed.pipeline --width=64            the dual UNet as in configs/dual_unet.py

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

from configs import demo, dual_unet
from jdmri import phantom
from jdmri.keys import draw_keys
from jdmri.models import scale
from jdmri.ops import sense
from jdmri.runtime import memory
from jdmri.studies import cost
from jdmri.training import build
from jdmri.training.examples import Examples

REPEATS = 10


def main():
    """Print one row a network."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--width", type=int, default=16, help="of the dual UNet")
    parser.add_argument("--sizes", type=int, nargs="+", default=[96, 192])
    options = parser.parse_args()
    memory.keep_freed()  # as the command line does
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
    config.train.batch_size = 1
    task = build.build_task(config)
    key = jax.random.key(0)
    cine, maps, *_ = phantom.simulate(key, num_frames=20, matrix=(size, size))
    examples = Examples(cine[None], maps[None], jnp.full(1, 0.02), jnp.zeros(1, jnp.uint32))
    start = time.perf_counter()
    compiled, current, *data = cost.compile_step(config, examples)
    compile_seconds = time.perf_counter() - start
    seconds = []
    for _ in range(REPEATS + 2):
        start = time.perf_counter()
        current, _ = jax.block_until_ready(compiled(current, *data))
        seconds.append(time.perf_counter() - start)
    whole = statistics.median(seconds[2:])
    simulated = median_time(partial(simulate, task), key, examples)
    transforms = transform_time(config, cine)
    parameters = sum(a.size for a in jax.tree.leaves(current.params))
    print(
        f"| {name} | {size} | {parameters:,} | {compile_seconds:.1f} | {1e3 * whole:.0f} | "
        f"{memory.estimate(compiled) / 2**20:.0f} | {100 * simulated / whole:.1f} | {100 * transforms / whole:.1f} |",
        flush=True,
    )


def simulate(task, key, examples):
    """Everything between the stored cine and the network."""
    keys = draw_keys(key)
    one = task.augment(keys.augment, jax.tree.map(lambda a: a[0], examples))
    mask = task.sampler(keys.mask, one.cine.shape)
    kspace = sense.acquire(keys.noise, one.cine, one.maps, mask, one.sigma)
    return kspace / scale.signal_level(kspace, one.maps, mask)


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
