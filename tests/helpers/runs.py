"""Trainings of seconds, and the command line in a process."""

import os
import subprocess
import sys
from pathlib import Path

from configs import demo
from jdmri.training import build, workdir

ROOT = Path(__file__).parents[2]


def shrink(config, tmp_path):
    """Make a config run in seconds: tiny phantom, tiny network."""
    config.data.update(
        num_series=8, num_frames=4, matrix=(16, 18), cache_dir=str(tmp_path / "cache")
    )
    config.mask.update(acceleration=3.0, num_center_lines=2)
    for name, value in (
        ("width", 4),
        ("num_frames", 4),
        ("head_width", 4),
        ("depth", 3),
        ("num_blocks", 1),
    ):
        network = config.model.get("denoiser", config.model)
        if name in network:
            network[name] = value
    if "num_cascades" in config.model:
        config.model.num_cascades = min(config.model.num_cascades, 2)
    if "vgg_path" in config.loss:
        config.loss.vgg_path = "random"
    config.train.update(num_steps=6, batch_size=min(config.train.batch_size, 2), log_every=2)
    config.eval.every_epochs = 1
    config.metrics = ("psnr", "nmse_complex")
    return config


def tiny(tmp_path, **train_fields):
    config = shrink(demo.get_config(), tmp_path)
    config.train.update(**train_fields)
    return config


def final_state(folder):
    config = workdir.load_config(folder)
    return build.restore_state(config, folder, "latest")[0]


def jdmri(*arguments, cwd, **options):
    command = [sys.executable, "-m", "jdmri.main", *map(str, arguments)]
    environment = os.environ | {
        "PYTHONPATH": str(ROOT),
        "XDG_CACHE_HOME": str(cwd),
    }
    return subprocess.Popen(
        command,
        cwd=cwd,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )
