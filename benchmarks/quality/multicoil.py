"""Eight coils, eight-fold undersampling: methods without training, and networks of equal training.

    python -m benchmarks.quality.multicoil --steps=600 --seeds=3 --maps=espirit --output=runs/multicoil
    python -m benchmarks.quality.multicoil --weights        CG-SENSE on the validation phantoms, PSNR by λ; prints and ends

Data, noise, optimizer and denoiser are those of ``configs/modl.py`` (70 phantoms of 20×96×96, 20 to test); with ``--minutes`` every
network takes as many steps as fit, compilation not counted. ``--maps=espirit``: every reconstruction is given maps that were estimated
from its undersampled data; with ``given`` they are the phantom's own, so that refining them cannot gain.
PSNR is mean ± SD over subjects of the mean over seeds, the SD over seeds in brackets.
"""

import argparse
from pathlib import Path

import numpy as np

from benchmarks.quality.networks import one_seed, row
from configs import cascade, modl, varnet
from jdmri import metrics
from jdmri.classical import METHODS
from jdmri.runtime import memory
from jdmri.studies import cost
from jdmri.training import build

METHODS_SHOWN = ("zero_filled", "temporal_average", "view_sharing", "cg_sense")
WEIGHTS = (1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1)
NETWORKS = {
    "cascade, soft": lambda: cascade.get_config().model,
    "cascade, cg": lambda: cascade.get_config().model.to_dict() | dict(consistency="cg"),
    "modl": lambda: modl.get_config().model,
    "varnet, maps as given": lambda: varnet.get_config("fixed").model,
    "varnet, maps refined": lambda: varnet.get_config("refined").model,
}


def main():
    """Print one row a method and a network."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=3.0)
    parser.add_argument("--steps", type=int, default=0, help="instead of --minutes")
    parser.add_argument("--maps", choices=("given", "espirit"), default="given")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--acceleration", type=float, default=8.0)
    parser.add_argument("--output", type=Path, default=Path("runs/multicoil"))
    parser.add_argument("--only", nargs="+", default=list(NETWORKS))
    parser.add_argument("--weights", action="store_true")
    options = parser.parse_args()
    memory.keep_freed()  # as the command line does
    if options.weights:
        tune(options)
        return
    print("| method | steps | PSNR (dB) | heart PSNR | SSIM |\n|---|---|---|---|---|")
    shown = False
    for name in options.only:
        config = budget_config(name, options)
        folder = options.output / name.replace(" ", "-").replace(",", "")
        tables = [one_seed(config, seed, folder / f"seed-{seed}") for seed in range(options.seeds)]
        if not shown:
            shown = True
            for method in METHODS_SHOWN:
                print(row(method, "–", [tables[0][method]]))
        print(row(name, config.train.num_steps, [t["model"] for t in tables]), flush=True)


def base_config(options):
    """The data of all rows."""
    config = modl.get_config()
    config.mask.acceleration = options.acceleration
    config.coil_maps = dict(name=options.maps)
    config.methods, config.metrics = METHODS_SHOWN, ("psnr", "ssim")
    config.eval.every_epochs = 10_000
    return config


def budget_config(name: str, options):
    """The same settings for every network, with the given steps or as many as fit into the minutes."""
    config = base_config(options)
    config.model = NETWORKS[name]()
    if options.steps:
        config.train.num_steps = options.steps
        return config
    seconds = cost.seconds_per_step(config)
    config.train.num_steps = max(int(60 * options.minutes / seconds), 1)
    return config


def tune(options) -> None:
    """Print the PSNR of CG-SENSE on the validation split for each λ."""
    config = base_config(options)
    series = build.split_data(build.read_data(config), config)["validation"]
    acquired = [build.acquisition(config).simulate(s) for s in series]
    psnr = metrics.METRICS.build({"name": "psnr"})
    for weight in WEIGHTS:
        method = METHODS.build({"name": "cg_sense", "weight": weight})
        scores = [psnr(np.asarray(method(*data)), reference.cine) for data, reference in acquired]
        print(f"λ = {weight:g}: {np.mean(scores):.2f} dB", flush=True)


if __name__ == "__main__":
    main()
