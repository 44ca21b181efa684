"""Hyper-parameter search: samplers, resumption, sharing, refusals."""

import csv
import json

import pytest
from ml_collections import ConfigDict

from configs.studies import search as search_config
from jdmri.errors import InputError
from jdmri.studies import search, search_space
from jdmri.training import workdir
from tests.helpers.runs import tiny

optuna = pytest.importorskip("optuna", reason="needs pip install 'jdmri[search]'")


@pytest.fixture(autouse=True)
def keep_programs(monkeypatch):
    """Searches forget what was compiled for a trial; here all trials are alike, and few."""
    monkeypatch.setattr(search.jax, "clear_caches", lambda: None)


def small(tmp_path, sampler, num_trials=3, **fields):
    config = search_config.get_config(sampler)
    config.base = tiny(tmp_path, num_steps=2).unlock()
    config.space = ConfigDict(dict(optimizer=dict(learning_rate=dict(low=1e-4, high=1e-2, log=True, num=2))))  # fmt: skip
    config.search.num_trials = num_trials
    config.search.update(fields)
    return config


@pytest.fixture
def stub(monkeypatch):
    """Trials that train nothing: they open their run and are scored by their learning rate."""

    def train(config, folder, *, on_validation):
        workdir.open_run(folder, config)
        score = 20 + float(config.optimizer.learning_rate)
        record = dict(step=2, split="validation", psnr=score)
        (folder / "metrics.jsonl").write_text(json.dumps(record) + "\n")
        on_validation(2, score)

    monkeypatch.setattr(search.train, "train", train)


def trials(folder):
    with (folder / "trials.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_grid_is_searched_whole_and_a_second_call_adds_nothing(tmp_path):
    config, folder = small(tmp_path, "grid", 10), tmp_path / "search"
    text = search.search(config, folder)
    found = trials(folder)
    assert sorted(float(t["optimizer.learning_rate"]) for t in found) == [1e-4, 1e-2]
    scores = [float(t["validation_psnr"]) for t in found]
    assert scores == sorted(scores, reverse=True) and f"{scores[0]:.2f} dB" in text
    assert (folder / "search.png").stat().st_size > 0
    assert search.search(config, folder) == text


def test_an_interrupted_trial_is_taken_up_again_and_random_draws_differ(
    tmp_path, monkeypatch, stub
):
    config, folder = small(tmp_path, "random"), tmp_path / "search"

    def killed(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(search.train, "train", killed)
        search.search(config, folder)
    search.search(config, folder)
    rates = [t["optimizer.learning_rate"] for t in trials(folder)]
    assert len(rates) == len(set(rates)) == 3
    assert len(list((folder / "trials").glob("*/config.json"))) == 3


def test_tpe_prunes_by_validation(tmp_path, monkeypatch, stub):
    config, folder = small(tmp_path, "tpe", 2), tmp_path / "search"
    monkeypatch.setattr(optuna.trial.Trial, "should_prune", lambda self: self.number == 1)
    assert "pruned" in search.search(config, folder)
    assert {t["state"] for t in trials(folder)} == {"complete", "pruned"}


def test_a_failing_trial_is_named_and_the_search_goes_on(tmp_path, caplog):
    config, folder = small(tmp_path, "grid"), tmp_path / "search"
    config.space = ConfigDict(dict(train=dict(batch_size=dict(choices=(1, 999)))))
    text = search.search(config, folder)
    assert "1 trials" in text and "train.batch_size is 999" in caplog.text
    config.space = ConfigDict(dict(train=dict(batch_size=dict(choices=(998, 999)))))
    with pytest.raises(InputError, match="no trial of the search"):
        search.search(config, tmp_path / "other")


@pytest.mark.parametrize(
    ("tree", "message"),
    [({}, "empty"), ({"seed": 3}, "must be dict"), ({"optimizer": {}}, "space.optimizer is empty")],
)
def test_wrong_spaces_are_refused(tree, message):
    with pytest.raises(InputError, match=message):
        search_space.flatten(tree)


def test_the_sampler_and_the_split_are_checked(tmp_path):
    with pytest.raises(InputError, match="grid, random or tpe, got 'bayes'"):
        search.search(small(tmp_path, "bayes"), tmp_path / "a")
    config = small(tmp_path, "random", 1)
    config.base.split.ratios = (1, 0, 1)
    with pytest.raises(InputError, match="no trial of the search"):
        search.search(config, tmp_path / "b")


def test_grids_have_round_points():
    assert search_space.grid(dict(low=1e-4, high=1e-2, log=True, num=3)) == [1e-4, 1e-3, 1e-2]
    assert search_space.grid(dict(low=2, high=5, num=2)) == [2, 5]
    assert search_space.nest({"a.b": 1, "a.c": 2, "d": 3}) == {"a": {"b": 1, "c": 2}, "d": 3}
