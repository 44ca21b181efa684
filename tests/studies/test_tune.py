"""Tuning of the methods without training: the search, the table, and evaluations that use it."""

import json

import numpy as np
import pytest

from configs import classical
from jdmri.classical import METHODS
from jdmri.command_line import parser
from jdmri.errors import InputError
from jdmri.evaluation import evaluate, summary
from jdmri.evaluation.methods import lookup
from jdmri.evaluation.protocol import Protocol
from jdmri.runtime import files
from jdmri.studies import grid_search, tune
from jdmri.training import train
from tests.helpers.runs import tiny


def parabola(**best):
    """A score with one maximum, in logarithms."""
    return lambda p: -sum(np.log(p[name] / value) ** 2 for name, value in best.items())


def test_the_search_finds_a_maximum_within_half_a_step_of_the_grid():
    tries = grid_search.maximise({"weight": (1e-3, 1e-1)}, 5, parabola(weight=0.02))
    assert tries[-1][0] == max(score for score, _ in tries) and len(tries) == 7
    assert abs(np.log(tries[-1][1]["weight"] / 0.02)) <= np.log(100) / 4 / 4 + 1e-3


def test_a_grid_grows_where_its_end_is_best():
    tries = grid_search.maximise({"weight": (1e-3, 1e-1)}, 3, parabola(weight=1.0))
    assert tries[-1][1]["weight"] == pytest.approx(1.0, rel=1e-3)
    assert len(grid_search.maximise({"weight": (1e-3, 1e-1)}, 3, parabola(weight=1e-9))) == 7


def test_what_converged_comes_before_what_scores_higher():
    def score(parameters):
        return tune.Score(parameters["weight"] > 0.02, -parameters["weight"])

    best, parameters = grid_search.maximise({"weight": (1e-3, 1e-1)}, 5, score)[-1]
    assert best.converged and parameters["weight"] == pytest.approx(0.0316, rel=0.01)


def test_parameters_are_tuned_one_after_the_other():
    ranges = {"a": (1e-3, 1e-1), "b": (1e-2, 1.0)}
    _, best = grid_search.maximise(ranges, 5, parabola(a=0.01, b=0.3162))[-1]
    assert best["a"] == pytest.approx(0.01, rel=0.01) and best["b"] == pytest.approx(
        0.3162, rel=0.01
    )


@pytest.fixture
def config(tmp_path):
    made = classical.get_config()
    made.base = tiny(tmp_path, num_steps=1)
    made.accelerations, made.per_frame = (3.0,), (True,)
    made.num_series, made.num_points = 1, 3
    made.unlock()
    made.grid = {"kt_sparse": {"weight": (1e-3, 1e-1)}}
    return made


def test_a_table_is_made_resumed_and_used(config, tmp_path, monkeypatch):
    text = tune.tune(config, tmp_path / "tune")
    path = tmp_path / "tune" / tune.TABLE
    assert "R 3, per frame, kt_sparse: weight" in text and f"--config.tuned={path}" in text
    (figure,) = (tmp_path / "tune").glob("*.png")
    assert figure.name == "convergence-R3-per-frame.png" and str(figure) in text
    (entry,) = json.loads(path.read_text())["entries"]
    assert (
        entry["psnr"] == max(t["psnr"] for t in entry["tries"] if t["converged"])
        and entry["iterations"] > 0
    )
    monkeypatch.setattr(tune, "grid_search", None)  # nothing is left to search
    assert tune.tune(config, tmp_path / "tune") == text
    config.num_points = 4
    with pytest.raises(InputError, match="tuned with other settings"):
        tune.tune(config, tmp_path / "tune")

    run = config.base.copy_and_resolve_references()
    run.methods = ("zero_filled", "kt_sparse")
    train.train(run, tmp_path / "run")
    run.tuned = str(path)
    assert lookup(Protocol.of(run), "kt_sparse", 1) == entry["parameters"]
    assert (
        lookup(Protocol.of(run), "kt_sparse", 8) == {} == lookup(Protocol.of(run), "zero_filled", 1)
    )
    target, result = evaluate.evaluate(run, tmp_path / "run", pictures=False)
    assert "tuned (tuned.json" in files.read_json(target / "card.json")["methods"]["kt_sparse"]
    methods = result["methods"]
    assert methods["kt_sparse"]["iterations"]["mean"] > 1
    assert methods["kt_sparse"]["converged"]["mean"] == 1
    assert (
        methods["zero_filled"]["iterations"]["n"] == methods["zero_filled"]["converged"]["n"] == 0
    )
    assert "reach its tolerance" not in summary.table(result)
    hasty = METHODS.build({"name": "kt_sparse", "max_iterations": 1, "tolerance": 1e-9})
    usual = evaluate.build_methods
    monkeypatch.setattr(evaluate, "build_methods", lambda *a: {"kt_sparse": hasty, "model": usual(*a)["model"]})  # fmt: skip
    run.eval.name = "hasty"
    _, result = evaluate.evaluate(run, tmp_path / "run", pictures=False)
    assert result["methods"]["kt_sparse"]["converged"]["mean"] == 0
    assert "kt_sparse did not reach its tolerance for 100.0% of the series" in summary.table(result)
    run.tuned = "nowhere.json"
    with pytest.raises(InputError, match="--mode=tune"):
        lookup(Protocol.of(run), "kt_sparse", 1)


def test_methods_are_tuned_in_turns_into_one_table(tmp_path, config):
    config.only = ("kt_sparse",)
    tune.tune(config, tmp_path)
    config.only = ("wavelets",)
    with pytest.raises(InputError, match="no grid for wavelets; there are"):
        tune.tune(config, tmp_path)
    config.only = ()
    tune.tune(config, tmp_path)
    entries = files.read_json(tmp_path / tune.TABLE)["entries"]
    assert len(entries) == len(config.grid)


def test_the_mode_wants_a_config_of_its_own(config):
    parser.check_kind(config, "tune")
    with pytest.raises(InputError, match="config of a tuning; it goes with --mode=tune"):
        parser.check_kind(config, "train")
    with pytest.raises(InputError, match="unknown variant 'brain'"):
        classical.get_config("brain")


def test_every_method_of_the_config_takes_the_parameters_of_its_grid():
    for variant in classical.VARIANTS:
        grid = classical.get_config(variant).grid
        for name in grid:
            tune.METHODS.build({"name": name, **{k: v[0] for k, v in grid[name].items()}})
