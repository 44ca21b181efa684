"""Trainings of seconds, and the command line: in a process, and in this one."""

import contextlib
import os
import subprocess
import sys
import threading
from pathlib import Path

import absl.app
import pytest
from absl.testing import flagsaver

from configs import demo
from jdmri import main
from jdmri.runtime import memory
from jdmri.runtime.log import log
from jdmri.training import restore

ROOT = Path(__file__).parents[2]


def shrink(config, tmp_path):
    """Make a config run in seconds: tiny phantom, tiny network."""
    config.data.update(num_series=8, num_frames=4, matrix=(16, 18))
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
    """Make the smallest run; runs of different lengths share one compiled step, as their rate is constant."""
    config = shrink(demo.get_config(), tmp_path)
    config.optimizer.schedule = dict(name="constant")
    config.methods = ("zero_filled", "view_sharing")
    config.train.update(**train_fields)
    return config


def final_state(folder):
    return restore.restore_state(folder, "latest")[0]


@contextlib.contextmanager
def jdmri(*arguments, cwd, **options):
    """Start the command line in a process of its own, which does not outlive the block."""
    command = [sys.executable, "-m", "jdmri.main", *map(str, arguments)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    pipes = dict(stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    with subprocess.Popen(command, cwd=cwd, env=environment, **pipes, **options) as process:
        try:
            yield process
        finally:
            process.kill()


class Ended(Exception):
    """Stands for the end of the process."""


def jdmri_here(*arguments, cwd):
    """Run the command line in this process, and undo what it changes; the exit code."""

    def leave(code):
        raise Ended(code)

    call = lambda main, flags_parser: main(flags_parser(sys.argv))
    with pytest.MonkeyPatch.context() as patch, flagsaver.flagsaver():
        patch.chdir(cwd)
        patch.setattr(sys, "argv", ["jdmri", *map(str, arguments)])
        patch.setattr(sys, "path", list(sys.path))
        patch.setattr(absl.app, "run", call)
        patch.setattr(os, "_exit", leave)
        patch.setattr(memory, "keep_freed", lambda: None)
        for place, name in ((threading, "excepthook"), (sys, "unraisablehook")):
            patch.setattr(place, name, getattr(place, name))
        for name in ("handlers", "level", "propagate"):
            patch.setattr(log, name, getattr(log, name))
        try:
            main.run()
        except Ended as ended:
            return ended.args[0]
    return 0
