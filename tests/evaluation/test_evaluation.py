"""Evaluation: statistics by hand, other data, refusals, the notebook door."""

import csv
import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jdmri
from jdmri.classical import METHODS
from jdmri.errors import InputError
from jdmri.evaluation import evaluate, summary
from jdmri.models import scale
from jdmri.ops import sense
from jdmri.training import build, train
from tests.helpers.arrays import complex_normal, unit_maps
from tests.helpers.runs import tiny


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    config = tiny(folder, num_steps=5)
    train.train(config, folder / "run")
    return config.unlock(), folder / "run"


def rows(**values):
    return [
        {"series": f"s{i}", "subject": subject, "method": "model", "psnr": v}
        for i, (subject, v) in enumerate(zip(values["subjects"], values["psnr"], strict=True))
    ]


def test_summary_averages_a_subject_first_and_leaves_out_what_is_not_defined():
    got = summary.summarise(rows(subjects="aabcd", psnr=[10, 20, 30, 40, np.nan]))["model"]["psnr"]
    assert got["n"] == 3 and got["mean"] == pytest.approx(np.mean([15, 30, 40]))
    assert got["std"] == pytest.approx(np.std([15, 30, 40], ddof=1)) and got["median"] == 30
    assert got["q1"] == 22.5 and got["q3"] == 35
    none = summary.summarise(rows(subjects="a", psnr=[np.inf]))["model"]["psnr"]
    assert none["n"] == 0 and none["mean"] is None
    one = summary.summarise(rows(subjects="a", psnr=[12]))["model"]["psnr"]
    assert one["std"] is None


def test_scale_is_undone_and_the_network_sees_one_size(key, run):
    _, folder = run
    reconstruct = jdmri.restore(folder)
    maps = unit_maps(key, 2, (16, 18))
    mask = jax.random.bernoulli(key, 0.5, (4, 16, 1))
    kspace = sense.forward(complex_normal(key, (4, 16, 18)), maps, mask)
    cine = reconstruct(kspace, maps, mask)
    np.testing.assert_allclose(reconstruct(1e4 * kspace, maps, mask), 1e4 * cine, rtol=1e-3, atol=1)
    batch = reconstruct(
        jnp.stack([kspace, 3 * kspace]), jnp.stack([maps, maps]), jnp.stack([mask, mask])
    )
    np.testing.assert_allclose(batch[1], 3 * cine, atol=1e-4)
    assert np.isfinite(reconstruct(0 * kspace, maps, mask)).all()
    level = scale.signal_level(kspace, maps, jnp.ones_like(mask))
    np.testing.assert_allclose(
        level, np.abs(np.mean(sense.adjoint(kspace, maps, jnp.ones_like(mask)), 0)).max(), rtol=1e-5
    )


def test_validation_and_evaluation_use_the_same_masks_and_noise(run):
    config, folder = run
    dataset = build.read_data(config)
    one = build.split_data(dataset, config)["validation"][0]
    acquired, _ = build.acquisition(config).simulate(one)
    again, _ = build.acquisition(config).simulate(one)
    np.testing.assert_array_equal(acquired.kspace, again.kspace)
    _, result = evaluate.evaluate(config, folder, split="validation")
    records = [json.loads(r) for r in (folder / "metrics.jsonl").read_text().splitlines()]
    trained = [r["psnr"] for r in records if r["split"] == "validation"]
    assert result["methods"]["model"]["psnr"]["mean"] == pytest.approx(max(trained), abs=0.02)


def test_a_notebook_scores_methods_without_a_folder(run):
    config, folder = run
    series = build.split_data(build.read_data(config), config)["test"][:1]
    methods = {"zero_filled": METHODS.build({"name": "zero_filled"})}
    (row,) = evaluate.score(series, build.acquisition(config), methods, ("psnr",))
    assert row["series"] == series[0].name and row["method"] == "zero_filled"
    target, _ = evaluate.evaluate(config, folder, pictures=False)
    with (target / "series.csv").open(newline="") as file:
        written = [r for r in csv.DictReader(file) if r["method"] == "zero_filled"]
    assert float(written[0]["psnr"]) == row["psnr"]


def test_other_data_are_evaluated_whole_under_their_name(run, tmp_path):
    config, folder = run
    array = np.random.default_rng(0).uniform(0.2, 1, (3, 4, 20, 24)).astype(np.float32)
    np.savez(tmp_path / "mine.npz", dataset=array)
    other = config.copy_and_resolve_references()
    other.data.name, other.data.path = "npz", str(tmp_path / "mine.npz")
    target, result = evaluate.evaluate(other, folder)
    assert target == folder / "evaluation" / "mine" and result["protocol"]["num_series"] == 3
    card = json.loads((target / "card.json").read_text())
    assert card["split"]["same_data_as_training"] is False
    assert any("subject" in w for w in card["data"]["warnings"])
    assert set(card["methods"]) == {*config.methods, "model"}
    assert card["coil_maps"] == "reference and reconstruction: the same maps, of the data"
    other.noise.sigma = 0.1
    with pytest.raises(
        InputError, match=r"another protocol \(noise_sigma: 0.02 → 0.1\).*--config.eval.name"
    ):
        evaluate.evaluate(other, folder)
    other.eval.name = "noisy"
    assert evaluate.evaluate(other, folder)[0].name == "noisy"
    np.savez(tmp_path / "mine.npz", dataset=np.concatenate([array, array], axis=1))
    other.eval.name = "long"
    with pytest.raises(InputError, match="built for 4 frames, the series has 8"):
        evaluate.evaluate(other, folder)
    assert not (folder / "evaluation" / "long").exists()


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (dict(split="all"), "--split must be"),
        (dict(checkpoint="7"), "no checkpoint '7'.*there are: 5"),
    ],
)
def test_wrong_choices_are_refused(run, fields, message):
    with pytest.raises(InputError, match=message):
        evaluate.evaluate(*run, **fields)
