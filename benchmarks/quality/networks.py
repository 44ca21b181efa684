"""All networks side by side: size, cost and memory; and what a common small budget of training gives.

    python -m benchmarks.quality.networks                                        cost of one 20×192×192 series
    python -m benchmarks.quality.networks --train --minutes=4 --seeds=3 --output=runs/networks    equal training time on the demo's phantoms

GMAC is half of the floating point operations that XLA counts in one reconstruction, transforms included. Times are
medians of 3 after a warm-up, on whatever device JAX finds, batch 1, single coil. ``--train`` gives each network the
same time (the steps that fit into it are measured first, compilation not counted), the demo's data, masks, noise,
AdamW and schedule, L1 (on the magnitude where the network sees only that); the learning rate is 2e-3, 1e-3 for the dual UNet.
PSNR is mean ± SD over subjects of the mean over seeds, the SD over seeds in brackets.
"""

import argparse
import statistics
import time
from pathlib import Path

import jax
import jax.numpy as jnp

from configs import cascade, cnn3d, dc_cnn, demo, dual_unet, ghodrati
from jdmri import phantom
from jdmri.data.acquisition import Acquired
from jdmri.evaluation import evaluate
from jdmri.models.reconstructor import reconstructor
from jdmri.runtime import memory
from jdmri.studies import cost
from jdmri.training import build, train
from jdmri.training.examples import Examples

REPEATS = 3
NETWORKS = {
    "demo: cascade of 4 frames CNNs": lambda: demo.get_config().model,
    "cascade of 3 (2+1)-D CNNs": lambda: cascade.get_config().model,
    "dc_cnn: cascade of 5 3-D CNNs": lambda: dc_cnn.get_config().model,
    "dual_unet, repaired": lambda: dual_unet.get_config().model,
    "dual_unet, width 16": lambda: narrow(dual_unet.get_config().model),
    "cnn3d simple": lambda: cnn3d.get_config("simple").model,
    "cnn3d complex": lambda: cnn3d.get_config("complex").model,
    "unet (S3)": lambda: ghodrati.get_config("unet").model,
    "resnet4 (S3)": lambda: ghodrati.get_config("resnet4").model,
}
TOO_LARGE_TO_TRAIN = ("dual_unet, repaired", "dc_cnn: cascade of 5 3-D CNNs")


def narrow(model):
    """The dual UNet that trains on two cores."""
    model.denoiser.update(width=16, head_width=16)
    return model


def main():
    """Print one row a network."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--train", action="store_true")
    parser.add_argument("--minutes", type=float, default=4.0)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--output", type=Path, default=Path("runs/networks"))
    parser.add_argument("--only", nargs="+", default=list(NETWORKS), help="how names begin")
    options = parser.parse_args()
    memory.keep_freed()  # as the command line does
    device = jax.devices()[0]
    print(f"{device.platform} {device.device_kind}, jax {jax.__version__}, float32", flush=True)
    names = [name for name in NETWORKS if name.startswith(tuple(options.only))]
    if options.train:
        compare(names, options)
        return
    print(
        "| network | parameters | GMAC | reconstruct ms | training step ms | step, temporary MiB |"
    )
    print("|---|---|---|---|---|---|")
    for name in names:
        print_cost(name)


def print_cost(name: str) -> None:
    """Print size, operations, times and memory at 20×192×192."""
    config = demo.get_config()
    config.model = NETWORKS[name]()
    cine, maps, *_ = phantom.simulate(jax.random.key(0), num_frames=20, matrix=(192, 192))
    examples = Examples(cine[None], maps[None], jnp.full(1, 0.02), jnp.zeros(1, jnp.uint32))
    compiled, current, *data = cost.compile_step(config, examples)
    seconds = []
    for _ in range(REPEATS + 1):
        start = time.perf_counter()
        current, _ = jax.block_until_ready(compiled(current, *data))
        seconds.append(time.perf_counter() - start)
    variables = jax.device_get(current.variables)
    network = reconstructor(build.build_model(config), variables)
    data = Acquired(cine[:, None], maps, jnp.ones((20, 192, 1), bool))
    apply = jax.jit(network).lower(*data).compile()
    operations = apply.cost_analysis()["flops"]
    jax.block_until_ready(apply(*data))
    forward = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        jax.block_until_ready(apply(*data))
        forward.append(time.perf_counter() - start)
    parameters = sum(a.size for a in jax.tree.leaves(current.params))
    print(
        f"| {name} | {parameters:,} | {operations / 2e9:.1f} | {1e3 * statistics.median(forward):.0f} | "
        f"{1e3 * statistics.median(seconds[1:]):.0f} | {memory.estimate(compiled) / 2**20:.0f} |",
        flush=True,
    )


def compare(names, options) -> None:
    """Train each network for equal time, evaluate on unseen phantoms, print PSNR and SSIM."""
    print(f"{options.minutes:g} minutes of training each, {options.seeds} seed(s)\n")
    print("| network | steps | PSNR (dB) | heart PSNR | SSIM |\n|---|---|---|---|---|")
    shown = False
    for name in names:
        if name in TOO_LARGE_TO_TRAIN:
            continue
        config = budget_config(name)
        num_steps = int(60 * options.minutes / cost.seconds_per_step(config))
        config.train.num_steps = max(num_steps, 1)
        folder = options.output / name.replace(" ", "-").replace(":", "").replace(",", "")
        tables = [one_seed(config, seed, folder / f"seed-{seed}") for seed in range(options.seeds)]
        if not shown:
            shown = True
            for method in ("zero_filled", "temporal_average", "view_sharing"):
                print(row(method, "–", [tables[0][method]]))
        print(row(name, config.train.num_steps, [t["model"] for t in tables]), flush=True)


def budget_config(name: str):
    """The demo's settings for every network."""
    config = demo.get_config()
    config.model = NETWORKS[name]()
    config.metrics = ("psnr", "ssim")
    config.eval.every_epochs = 10_000
    if config.model.denoiser.get("domain") == "magnitude":
        config.loss.domain = "magnitude"  # they cannot mend the phase
    if name.startswith("dual"):
        config.optimizer.learning_rate = 1e-3
    return config


def one_seed(config, seed: int, folder: Path) -> dict:
    """Train and evaluate with one seed; the scores of every method."""
    config = config.copy_and_resolve_references()
    config.seed = seed
    train.train(config, folder)
    _, result = evaluate.evaluate(config, folder, checkpoint="latest", pictures=False)
    return result["methods"]


def row(name, steps, seeds) -> str:
    """One line of the table."""
    return f"| {name} | {steps} | {cell(seeds, 'psnr', '.2f')} | {cell(seeds, 'psnr_heart', '.2f')} | {cell(seeds, 'ssim', '.3f')} |"


def cell(seeds, metric: str, form: str) -> str:
    """Mean and SD over subjects, averaged over seeds; the SD over seeds in brackets."""
    means = [s[metric]["mean"] for s in seeds]
    text = f"{statistics.mean(means):{form}} ± {statistics.mean(s[metric]['std'] for s in seeds):{form}}"
    return text if len(seeds) == 1 else f"{text} ({statistics.stdev(means):{form}})"


if __name__ == "__main__":
    main()
