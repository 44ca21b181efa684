"""What the README promises, and how lightly a training starts."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np

from jdmri.training import train
from tests.helpers.runs import tiny

ROOT = Path(__file__).parents[2]


def test_the_readme_example_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    config = tiny(tmp_path, num_steps=1)
    config.data.num_frames = config.model.denoiser.num_frames = 20
    train.train(config, tmp_path / "runs" / "demo")
    (block,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    names = {}
    exec(block, names)
    assert names["estimate"].shape == names["cine"].shape
    error = np.abs(names["estimate"] - names["cine"])
    assert 0 < error.mean() < 0.1 * np.abs(names["cine"]).max()


def test_the_readme_names_files_that_exist():
    text = (ROOT / "README.md").read_text()
    for name in re.findall(r"`?(?:\./)?((?:configs|launch|jdmri)/[a-z_/]+\.(?:py|sh))", text):
        assert (ROOT / name).is_file(), name


def test_a_training_starts_without_packages_that_it_does_not_need():
    heavy = ["torch", "matplotlib", "scipy.stats", "tensorboardX", "optuna", "grain", "pydicom"]
    code = f"import sys, jdmri.main, jdmri.training.train; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
