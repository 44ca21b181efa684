"""Studies: plans, overrides, sharing, interruption, statistics from real runs, refusals."""

import csv
import json
import subprocess
import sys
import time

import numpy as np
import pytest
from ml_collections import ConfigDict

from configs import demo
from configs.studies import cascades, cnn3d, default, dual_unet, ghodrati, losses, masks, search
from jdmri.command_line import parser
from jdmri.errors import InputError
from jdmri.studies import (
    conduct,
    cost,
    reading,
    result,
    runs,
    sentences,
    study,
)
from jdmri.studies.collect import collect
from jdmri.studies.reading import study_cases
from jdmri.training import build, workdir
from tests.helpers.runs import tiny

STUDIES = {
    **{f"losses:{size}": (losses, size) for size in ("published", "quick")},
    **{f"masks:{size}": (masks, size) for size in ("published", "quick")},
    **{f"cnn3d:{size}": (cnn3d, size) for size in ("published", "quick")},
    **{f"dual_unet:{part}{size}": (dual_unet, part + size) for part in dual_unet.STUDIES for size in ("", "-quick")},
    **{f"cascades:{kind}{size}": (cascades, kind + size) for kind in ("ours", "dual", "simple") for size in ("", "-quick")},
    **{f"ghodrati:{part}{size}": (ghodrati, part + size) for part in ("loss", "depth") for size in ("", "-quick")},
}  # fmt: skip


@pytest.mark.parametrize("name", STUDIES)
def test_every_study_plans_runs_that_can_be_built(name):
    module, argument = STUDIES[name]
    config = module.get_config(argument)
    planned = runs.plan(config).runs
    assert len(planned) == len(config.variants) * len(config.seeds)
    assert len({run.name for run in planned}) == len(planned)
    different = [workdir.differences(planned[0].config.to_dict(), r.config.to_dict()) for r in planned[1:]]  # fmt: skip
    assert all(different)
    for run in planned[: len(config.variants)]:
        build.build_task(run.config)
    assert config.question and config.metric in config.metrics


@pytest.mark.parametrize("module", [losses, masks, cnn3d, dual_unet, cascades, ghodrati])
def test_unknown_sizes_and_parts_are_refused(module):
    with pytest.raises(InputError, match=r"takes|cnn3d|published"):
        module.get_config("huge-large")


@pytest.fixture(autouse=True)
def keep_programs(monkeypatch):
    """Studies forget what was compiled for a run; here all runs are alike, and few."""
    monkeypatch.setattr(conduct.jax, "clear_caches", lambda: None)


def small(tmp_path, **fields):
    """Two networks, two seeds, a second or two each."""
    config = default.get_config()
    config.question = "Which rate?"
    config.base = tiny(tmp_path, num_steps=4).unlock()
    config.base.data.num_series = 14
    config.base.split.ratios = (2, 1, 4)
    config.metrics = ("psnr", "nmse_complex")
    config.variants = ConfigDict(
        dict(slow=dict(optimizer=dict(learning_rate=1e-4)), fast=dict(optimizer=dict(learning_rate=3e-3)))
    )  # fmt: skip
    config.seeds = (0, 1)
    config.update(fields)
    return config


def numbers(folder):
    """The table without its columns of time."""
    with (folder / "table.csv").open(newline="") as file:
        return [{k: v for k, v in row.items() if k != "s/series"} for row in csv.DictReader(file)]


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    folder = tmp_path_factory.mktemp("study")
    config = small(folder)
    return config, folder / "study", study.study(config, folder / "study")


def test_a_study_ends_with_table_pairs_figures_and_page(done):
    config, folder, text = done
    rows = numbers(folder)
    assert {row["method"] for row in rows} == {*config.base.methods, "slow", "fast"}
    trained = [row for row in rows if row["method"] in ("slow", "fast")]
    assert all(row["n"] == "8" and row["seed_std"] for row in trained)
    statistics = json.loads((folder / "statistics.json").read_text())
    (pair,) = statistics["metrics"]["psnr"]["pairs"]
    assert pair["test"]["n"] == 8 and 0 < pair["test"]["p"] <= 1
    for name in (
        "report.html",
        "table.tex",
        "pairs_psnr.csv",
        "figures/box.png",
        "figures/pairs.pdf",
    ):
        assert (folder / name).stat().st_size > 0
    assert "Which rate?" in text and "2 training seed(s)" in text and "report.html" in text
    means = {row["method"]: float(row["mean"]) for row in rows if row["metric"] == "psnr"}
    by_hand = []
    for seed in (0, 1):
        path = folder / "runs" / "fast" / f"seed-{seed}" / "evaluation" / "test" / "series.csv"
        with path.open(newline="") as file:
            by_hand += [float(r["psnr"]) for r in csv.DictReader(file) if r["method"] == "model"]
    assert means["fast"] == pytest.approx(np.mean(by_hand))


def test_a_finished_study_trains_nothing_and_gives_the_same_table(done, monkeypatch):
    config, folder, _ = done
    before = numbers(folder)
    monkeypatch.setattr(conduct.train, "train", None)
    study.study(config, folder)
    assert numbers(folder) == before


def test_a_finished_study_gives_the_cases_of_a_blinded_reading(done, tmp_path):
    config, folder, _ = done
    cases = study_cases.study_cases(config, folder, 3)
    assert len({case.subject for case in cases}) == 3
    assert all(set(case.candidates) == {"slow", "fast"} for case in cases)
    text = reading.prepare(cases, tmp_path / "reading", seed=0)
    assert "3 cases of 2 methods" in text
    with pytest.raises(InputError, match="--num_series is 9, but 8 subjects were tested"):
        study_cases.study_cases(config, folder, 9)
    with pytest.raises(InputError, match="has 0 finished"):
        study_cases.study_cases(config, tmp_path, 3)


@pytest.mark.parametrize(
    ("config", "mode", "fits"),
    [(default, "train", "--mode=study"), (search, "study", "--mode=search"), (demo, "study", "--mode=train")],
)  # fmt: skip
def test_a_mode_that_the_config_is_not_for_is_refused(config, mode, fits):
    with pytest.raises(InputError, match=fits):
        parser.check_kind(config.get_config(), mode)


@pytest.mark.parametrize(
    "mode", ["train", "evaluate", "find_lr", "phantom", "doctor", "convert", "reconstruct"]
)
def test_the_config_of_a_run_goes_with_all_other_modes(mode):
    parser.check_kind(demo.get_config(), mode)


def test_variants_may_be_added_but_nothing_changed(done):
    config, folder, _ = done
    other = config.copy_and_resolve_references()
    other.base.noise.sigma = 0.5
    with pytest.raises(InputError, match=r"another study \(base.noise.sigma: 0.02 → 0.5\)"):
        study.study(other, folder)
    more = config.copy_and_resolve_references()
    more.variants.third = dict(loss=dict(name="l2", domain="complex"))
    text = study.study(more, folder, dry_run=True)
    assert "6 runs, 2 to do" in text and "slow/seed-0: finished" in text and "4 steps of" in text
    with pytest.raises(InputError, match="holds no study"):
        study.study(config, folder / "runs")


def test_a_failed_variant_is_named_and_the_others_are_compared(tmp_path):
    config = small(tmp_path, seeds=(0,))
    del config.variants["slow"]
    config.variants.broken = dict(mask=dict(name="variable_density", acceleration=1e6, num_center_lines=2))  # fmt: skip
    with pytest.raises(
        InputError, match=r"1 run\(s\) failed \(broken/seed-0: .*the table of the others"
    ):
        study.study(config, tmp_path / "study")
    rows = numbers(tmp_path / "study")
    assert "fast" in {row["method"] for row in rows}
    assert "broken is left out: failed" in rows[0]["note"]


def test_other_test_sets_and_missing_runs_are_left_out(done, tmp_path):
    config, folder, _ = done
    planned = runs.plan(config).runs
    path = planned[1].workdir(folder) / "evaluation" / "test" / "series.csv"
    text = path.read_text()
    try:
        path.write_text("\n".join(text.splitlines()[:-8]) + "\n")
        scores = collect(planned, folder)
        assert scores.trained == ["fast"]
        assert scores.remarks == ["slow is left out: it was tested on other series than fast."]
        assert sentences.finding(None, scores.trained, "psnr").startswith("One variant only")
    finally:
        path.write_text(text)
    assert collect(planned, tmp_path) is None


def test_metrics_that_were_not_measured_are_refused(done):
    config, folder, _ = done
    other = config.copy_and_resolve_references()
    other.metrics = ("psnr", "ssim_xt")
    with pytest.raises(InputError, match="wants ssim_xt, but its runs measured"):
        result.report(runs.plan(other), folder, {})


def test_k_fold_tests_every_subject(tmp_path):
    config = small(tmp_path, seeds=(0,))
    del config.variants["slow"]
    config.base.data.num_series = 6
    config.base.split = dict(name="kfold", num_folds=2, fold=0, seed=0, stratify="", validation=0.25)  # fmt: skip
    text = study.study(config, tmp_path / "study")
    rows = numbers(tmp_path / "study")
    assert all(row["n"] == "6" for row in rows) and "2-fold by subject" in text


def test_methods_differ_by_variant_where_masks_do(tmp_path):
    config = small(tmp_path, seeds=(0,))
    mask = dict(name="variable_density", num_center_lines=2)
    config.variants = dict(R2=dict(mask=mask | dict(acceleration=2.0)), R4=dict(mask=mask | dict(acceleration=4.0)))  # fmt: skip
    study.study(config, tmp_path / "study")
    names = {row["method"] for row in numbers(tmp_path / "study")}
    assert {"view_sharing (R2)", "view_sharing (R4)"} < names


def test_overrides_merge_sections_and_replace_those_of_another_name():
    config = losses.get_config("quick").base
    runs.override(config, dict(loss=dict(name="l2", domain="magnitude"), model=dict(denoiser=dict(width=8))))  # fmt: skip
    assert config.loss.to_dict() == dict(name="l2", domain="magnitude")
    assert config.model.denoiser.width == 8 and config.model.denoiser.name == "frames_cnn"
    with pytest.raises(InputError, match=r"no field model\.denoiser\.wide"):
        runs.override(config, dict(model=dict(denoiser=dict(wide=8))))


@pytest.mark.parametrize("share", ["0/2", "3/2", "2", "a/b"])
def test_wrong_shares_are_refused(share):
    with pytest.raises(InputError, match="--shard must be i/n"):
        runs.shard([], share)


def test_shares_are_disjoint_and_complete(tmp_path):
    planned = runs.plan(small(tmp_path)).runs
    parts = [runs.shard(planned, f"{i}/3") for i in (1, 2, 3)]
    assert sorted(r.name for part in parts for r in part) == sorted(r.name for r in planned)


HOLD = """
import pathlib, sys, time
from jdmri.studies import conduct
with conduct.claim(pathlib.Path(sys.argv[1])) as ours:
    print(ours, flush=True)
    time.sleep(60)
"""


def test_two_workers_never_take_the_same_run(tmp_path):
    command = [sys.executable, "-c", HOLD, str(tmp_path / "run")]
    worker = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert worker.stdout.readline().strip() == "True"
    with conduct.claim(tmp_path / "run") as ours:
        assert ours is False
    worker.kill()
    worker.wait()
    with conduct.claim(tmp_path / "run") as ours:
        assert ours is True


def test_an_estimate_times_the_step(tmp_path):
    assert 0 < cost.seconds_per_step(tiny(tmp_path)) < 60


@pytest.mark.slow
def test_a_study_killed_three_times_gives_the_same_table(tmp_path):
    command = [
        sys.executable,
        "-m",
        "jdmri.main",
        "--mode=study",
        "--config=configs/studies/losses.py:quick",
    ]
    command += ["--config.base.train.num_steps=60", "--config.base.data.num_series=14", "--config.seeds=(0,)"]  # fmt: skip
    run = lambda name: subprocess.run([*command, f"--workdir={tmp_path / name}"], check=True)
    run("whole")
    for seconds in (20, 30, 40):
        process = subprocess.Popen([*command, f"--workdir={tmp_path / 'killed'}"])
        time.sleep(seconds)
        process.kill()
        process.wait()
    run("killed")
    assert numbers(tmp_path / "whole") == numbers(tmp_path / "killed")
