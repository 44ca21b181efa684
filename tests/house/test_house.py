"""The plan of the house: layers, and what the README promises."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from jdmri.training import train
from tests.helpers.runs import tiny

ROOT = Path(__file__).parents[2]
LAYERS = [
    {"errors", "typing", "registry", "log", "files"},
    {"ops", "masks", "losses", "metrics"},
    {"models", "classical", "phantom"},
    {"data"},
    {
        "acquisition", "augment", "card", "checkpoint", "convergence", "convert", "dicom_header", "dicom_writer", "doctor", "evaluate", "examples", "export", "feed", "grid_search", "keys", "lr_range", "memory", "meter", "failures", "optim", "peers", "processes", "profiling", "prospective", "reader", "reconstruct", "report", "run_log", "scale", "scan_writers", "schedule", "setup",
        "signals", "state", "step", "study", "summary", "train", "tuning", "validate", "workdir", "writers",
    },
    {"main", "command_line"},
]  # fmt: skip
LAYER = {name: level for level, names in enumerate(LAYERS) for name in names}
MODULES = sorted((ROOT / "jdmri").rglob("*.py"))


def imported(path):
    """First names below ``jdmri`` that a module imports at its top level."""
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "jdmri":
            parts = node.module.split(".")
            yield from [parts[1]] if len(parts) > 1 else [alias.name for alias in node.names]


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_a_module_imports_its_own_layer_or_a_lower_one(path):
    own = path.relative_to(ROOT / "jdmri").parts[0].removesuffix(".py")
    if own == "__init__":
        assert not list(imported(path))
        return
    for name in imported(path):
        assert LAYER[name] <= LAYER[own], f"{own} imports {name}"


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_only_the_training_system_sees_configs(path):
    own = path.relative_to(ROOT / "jdmri").parts[0].removesuffix(".py")
    if LAYER.get(own, 0) < 4:
        assert "ml_collections" not in path.read_text()


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
