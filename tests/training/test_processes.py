"""Several processes on this machine: one training, the same numbers, and an end when one of them is gone."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time

import jax
import numpy as np
import pytest

from jdmri.errors import InputError
from jdmri.runtime import processes
from jdmri.training import (
    build,
    optim,
    state,
    train,
    workdir,
)
from jdmri.training.checkpoint import Checkpoints
from tests.helpers.runs import tiny

CONFIG = """
from pathlib import Path
from jdmri.training import workdir
def get_config():
    return workdir.load_config(Path(__file__).parent)
"""


def free_port():
    with socket.socket() as one:
        one.bind(("localhost", 0))
        return one.getsockname()[1]


@contextlib.contextmanager
def start(folder, source, count):
    """Start ``count`` processes that train in ``folder`` as one, and do not outlive the block."""
    address = f"localhost:{free_port()}"
    inherited = {k: v for k, v in os.environ.items() if k.startswith(("JAX_", "XDG_CACHE"))}
    environment = inherited | {
        "PATH": "/usr/bin:/bin",
        "XLA_FLAGS": "--xla_force_host_platform_device_count=2",
        "JAX_PLATFORMS": "cpu",
        "PYTHONPATH": ":".join(sys.path),
    }
    command = [sys.executable, "-m", "jdmri.main", f"--config={source / 'config.py'}"]
    pipes = dict(stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    with contextlib.ExitStack() as stack:
        started = []
        for i in range(count):
            flags = f"--workdir={folder}", f"--distributed={address},{count},{i}"
            one = subprocess.Popen([*command, *flags], env=environment, **pipes)
            started.append(stack.enter_context(one))
            stack.callback(one.kill)  # before its exit waits
        yield started


def config_for(tmp_path, **fields):
    config = tiny(tmp_path, **({"batch_size": 4, "num_steps": 4, "ema_decay": 0.0} | fields))
    config.optimizer = dict(
        name="sgd", learning_rate=0.1, momentum=0.0, clip_norm=0.0, schedule=dict(name="constant")
    )
    config.model.denoiser = dict(
        name="cnn3d", width=4, depth=2, downsample=False, dropout=0.0, batch_norm=True
    )
    build.read_data(config)  # into the cache that the processes share
    source = tmp_path / "source"
    source.mkdir()
    (source / workdir.CONFIG).write_text(json.dumps(config.to_dict()))
    (source / "config.py").write_text(CONFIG)
    return config, source


def final(folder):
    checkpoints = Checkpoints(folder / "checkpoints")
    return checkpoints, checkpoints.choose("latest")


def test_two_processes_train_and_evaluate_as_one(tmp_path):
    """The two read their parts of each batch from a stream; the one has all series in memory."""
    config, source = config_for(tmp_path, streaming="always", num_workers=0)
    texts = []
    with start(tmp_path / "two", source, 2) as started:
        for one in started:
            texts.append((one, one.communicate(timeout=200)))
    assert [one.returncode for one, _ in texts] == [0, 0], texts
    told = ["Everything is in" in out for _, (out, _) in texts]
    assert told == [True, False]
    config.train.streaming = "never"
    train.train(config, tmp_path / "one")

    optimizer, _ = optim.build(config.optimizer.to_dict(), 4)
    template = jax.eval_shape(lambda: state.create(build.build_model(config), optimizer, 0))
    states = []
    for name in ("one", "two"):
        checkpoints, step = final(tmp_path / name)
        assert step == 4
        states.append(checkpoints.restore(step, template))
    close = lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-3, atol=2e-6)
    jax.tree.map(close, states[0].params, states[1].params)
    jax.tree.map(close, states[0].batch_stats, states[1].batch_stats)
    summary = json.loads((tmp_path / "two/evaluation/test/summary.json").read_text())
    rows = (tmp_path / "two/evaluation/test/series.csv").read_text().splitlines()
    assert len(rows) == 1 + len(summary["methods"]) * summary["protocol"]["num_series"]


def test_a_killed_process_ends_the_others_and_one_process_goes_on(tmp_path):
    config, source = config_for(tmp_path, num_steps=100000)
    config.checkpoint.every_steps = 5
    (source / workdir.CONFIG).write_text(json.dumps(config.to_dict()))
    folder = tmp_path / "run"
    with start(folder, source, 2) as (first, second):
        limit = time.time() + 150
        while not list(folder.glob("checkpoints/*/manifest.json")):
            assert time.time() < limit and first.poll() is None, first.communicate()[1]
            time.sleep(0.2)
        second.send_signal(signal.SIGKILL)
        killed = time.time()
        _, said = first.communicate(timeout=120)
        assert time.time() - killed < 20
    assert first.returncode == 75, said
    assert said.strip().splitlines()[-1].startswith("jdmri: another process is gone"), said
    _, saved = final(folder)
    train.train(config, folder, on_validation=lambda step, _: step >= saved + 3)
    assert final(folder)[1] >= saved + 3


@pytest.mark.parametrize(
    "where", ["here", "host:1,2", "host:1,2,2", "host,2,0", "host:1,2,x", "host:1,a,0"]
)
def test_a_wrong_flag_is_refused(where):
    with pytest.raises(InputError, match="--distributed"):
        processes.initialize(where)


def test_without_a_launcher_auto_is_one_process(monkeypatch):
    for name in processes._LAUNCHERS:
        monkeypatch.delenv(name, raising=False)
    processes.initialize("auto")
    assert jax.process_count() == 1
    assert processes.share([1, 2, 3]) == [1, 2, 3] == processes.gather([1, 2, 3])


def test_a_batch_that_processes_cannot_divide_is_refused(monkeypatch):
    monkeypatch.setattr(jax, "process_count", lambda: 2)
    with pytest.raises(InputError, match="batch_size=4"):
        train.one_axis_mesh(3)
