"""The project of docs/extending.md, run as it stands there: each kind of thing is added from outside and used."""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from jdmri.runtime import files

ROOT = Path(__file__).parents[2]
BLOCKS = dict(
    re.findall(
        r"```python\n# (my_\w+\.py)\n(.*?)```", (ROOT / "docs/extending.md").read_text(), re.DOTALL
    )
)
SMALL = (
    "--config.data.path=project/scans",
    "--config.train.num_steps=2",
    "--config.split.ratios=(2, 1, 2)",
)


def python(*words, cwd):
    """Run Python from another folder than the project's; its output and errors."""
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, *map(str, words)]
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True)
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder above the project, with five small series in the project's own format."""
    folder = tmp_path_factory.mktemp("extending")
    (folder / "project" / "scans").mkdir(parents=True)
    for name, text in BLOCKS.items():
        (folder / "project" / name).write_text(text)
    rng = np.random.default_rng(0)
    for number in range(5):
        frames = rng.uniform(0.1, 1, (4, 16, 18)).astype(np.float32)
        frames.tofile(folder / "project" / "scans" / f"scan{number}.mine")
    return folder


@pytest.fixture(scope="module")
def trained(folder):
    """What training and evaluation with everything of the project print."""
    return python("-m", "jdmri.main", "--config=project/my_config.py", *SMALL, cwd=folder)


def test_every_kind_is_shown_in_a_few_lines():
    kinds = "config", "denoiser", "network", "mask", "loss", "metric", "method", "format", "mode"
    assert list(BLOCKS) == [f"my_{kind}.py" for kind in kinds]
    short = lambda line: line and not line.startswith(("from", "import"))
    for name, text in list(BLOCKS.items())[1:]:
        assert len(list(filter(short, text.splitlines()))) <= 15, name


def test_a_run_uses_all_of_them(folder, trained):
    assert "my_format" not in trained and "Everything is in runs/my_config" in trained, trained
    heading = next(line for line in trained.splitlines() if line.startswith("method"))
    assert heading.split() == ["method", "psnr", "psnr_heart", "mae", "mae_heart", "seconds"]
    assert "landweber " in trained and "bernoulli mask" in trained
    run = folder / "runs" / "my_config"
    plugins = files.read_json(run / "config.json")["plugins"]
    assert plugins == [str(folder / "project" / Path(name).name) for name in plugins]
    summary = files.read_json(run / "evaluation" / "test" / "summary.json")
    assert summary["protocol"]["metrics"]["mae"].startswith("MAE: mean")


def test_its_network_is_restored_from_anywhere(folder, trained):
    code = (
        "import sys, jdmri, numpy as np\n"
        "kspace = np.ones((4, 1, 16, 18), np.complex64)\n"
        "apply = jdmri.restore(sys.argv[1])\n"
        "print(apply(kspace, np.ones((1, 16, 18)), np.ones((4, 16, 1))).shape)"
    )
    text = python("-c", code, folder / "runs" / "my_config", cwd="/")
    assert text.splitlines()[-1] == "(4, 16, 18)", text


def test_the_doctor_and_the_store_know_its_format(folder):
    flags = "--config.plugins=project/my_format.py", "--input=project/scans"
    text = python("-m", "jdmri.main", "--mode=doctor", *flags, cwd=folder)
    assert "my_format" in text and "5" in text, text
    text = python("-m", "jdmri.main", "--mode=convert", *flags, "--output=store.h5", cwd=folder)
    assert "5 series of project/scans (my_format) are in store.h5" in text, text


def test_a_script_brings_a_mode(folder):
    words = "project/my_mode.py", "--mode=subjects", "--config=project/my_config.py", *SMALL
    text = python(*words, "--split=train", cwd=folder)
    assert text.splitlines()[-1] == "train: 2 series of 2 subjects", text
    text = python(*words, "--input=x", cwd=folder)
    assert "--input belongs to --mode=doctor, convert and reconstruct" in text, text
