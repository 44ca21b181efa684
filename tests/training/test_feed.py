"""Series of any shape: buckets, padding that changes nothing, the order of batches, streaming from disk."""

import dataclasses
import os
import pickle
import subprocess
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from configs import cmrxrecon, default
from jdmri.data.acquisition import draw_keys, in_phase_of, load
from jdmri.data.formats import store
from jdmri.data.measurements import Measurement
from jdmri.data.records import Dataset, Facts, Series, Shape
from jdmri.errors import InputError
from jdmri.evaluation import evaluate
from jdmri.ops import sense
from jdmri.training import (
    batches,
    build,
    feed,
    step,
    train,
)
from jdmri.training.examples import (
    Bucket,
    Examples,
    buckets,
    prepare,
    stack,
)
from tests.helpers.arrays import complex_normal, unit_maps
from tests.helpers.runs import ROOT, final_state, tiny

RAGGED = [(4, 1, 16, 18), (6, 1, 16, 20), (5, 2, 16, 24), (4, 1, 20, 18), (4, 1, 16, 18)]


def series(shape, index, measured=False, cyclic=True):
    frames, coils, *matrix = shape
    key = jax.random.key(index)
    cine = np.asarray(complex_normal(key, (frames, *matrix)))
    maps = np.asarray(unit_maps(key, coils, tuple(matrix)))
    full = np.ones((frames, matrix[0], 1), bool)
    kspace = np.asarray(sense.forward(cine, maps, full)) if measured else None
    return Series(cine, maps, f"series-{index}", f"subject-{index}", cyclic, kspace=kspace)


@pytest.fixture
def config(tmp_path):
    made = tiny(tmp_path)
    made.model.denoiser = dict(name="spacetime_cnn", width=4, depth=2, time_width=3)
    made.model.num_cascades = 1
    made.augment.update(flips=False, frame_roll=False, global_phase=False)
    return made


def test_buckets_never_mix_lines_and_pad_no_more_than_the_largest():
    kinds = buckets([series(shape, i) for i, shape in enumerate(RAGGED)])
    assert [k.shape.lines for k in kinds] == [s[2] for s in RAGGED]
    assert len(set(kinds)) == 3 and kinds[0] == kinds[4]
    assert kinds[0].shape == Shape(4, 2, 16, 24) and kinds[1].shape == Shape(6, 2, 16, 24)
    assert kinds[3].shape == Shape(*RAGGED[3]) and not kinds[3].padded
    alike = buckets([series((5, 3, 16, 18), i) for i in range(3)])
    assert len(set(alike)) == 1 and alike[0].shape == Shape(5, 3, 16, 18) and not alike[0].padded
    mixed = buckets([series((5, 3, 16, 18), 0), series((5, 3, 16, 18), 1, measured=True)])
    assert len(set(mixed)) == 2


@pytest.mark.parametrize("measured", [False, True])
@pytest.mark.parametrize("shape", [(4, 1, 16, 17), (4, 3, 17, 18)])
def test_padding_changes_nothing_in_data_consistency(config, shape, measured):
    """Columns and coils of zeros: the zero-filled image is the same, and 0 in the padding."""
    config.noise.sigma = 0.0
    one, larger = series(shape, 0, measured), series((4, 4, shape[2], 23), 1, measured)
    (kind, _) = buckets([one, larger])
    example = prepare(one, kind, build.pipeline(config))
    assert kind.padded and example.cine.shape == (4, shape[2], 23)
    task = build.build_task(config)
    plain = prepare(one, kind._replace(padded=False), build.pipeline(config))
    images = []
    for e in (plain, example):
        keys = draw_keys(jax.random.key(3))
        mask = task.acquisition.sampler(keys.mask, e.cine.shape)
        kspace = e.kspace if measured else sense.forward(e.cine, e.maps, mask)
        images.append(np.asarray(sense.adjoint(kspace, e.maps, mask)))
    start = 23 // 2 - shape[3] // 2
    inside = images[1][..., start : start + shape[3]]
    np.testing.assert_allclose(inside, images[0], atol=1e-5)
    assert np.abs(np.delete(images[1], np.s_[start : start + shape[3]], axis=-1)).max() < 1e-6
    assert example.inside.sum() == shape[2] * shape[3]


def test_losses_and_psnr_leave_the_padding_out(config):
    one = series((4, 1, 16, 17), 0)
    example = prepare(
        one, Bucket(Shape(6, 1, 16, 23), measured=False, padded=True), build.pipeline(config)
    )
    wrong = example.cine + 0.5
    reference, estimate, share = step.without_padding(example, wrong)
    assert float(share) == pytest.approx(4 * 17 / (6 * 23))
    loss = jnp.mean(jnp.abs(estimate - reference)) / share
    np.testing.assert_allclose(loss, 0.5, rtol=1e-5)
    cropped = step.magnitude_psnr(one.cine + 0.5, one.cine)
    np.testing.assert_allclose(step.magnitude_psnr(estimate, reference, share), cropped, rtol=1e-4)


@pytest.mark.parametrize("cyclic", [True, False])
def test_missing_frames_repeat_the_cycle_or_the_last_frame(config, cyclic):
    one = series((4, 1, 16, 18), 0, measured=True, cyclic=cyclic)
    example = prepare(
        one, Bucket(Shape(7, 1, 16, 18), measured=True, padded=True), build.pipeline(config)
    )
    index = [0, 1, 2, 3, 0, 1, 2] if cyclic else [0, 1, 2, 3, 3, 3, 3]
    np.testing.assert_array_equal(example.cine, one.cine[index])
    np.testing.assert_allclose(example.kspace, one.kspace[index], atol=1e-5)
    assert example.num_frames == 4


def test_a_rolled_cycle_goes_on_in_its_padding(config):
    config.augment.frame_roll = True
    one = series((4, 1, 16, 18), 0)
    example = prepare(
        one, Bucket(Shape(7, 1, 16, 18), measured=False, padded=True), build.pipeline(config)
    )
    starts = set()
    for seed in range(12):
        rolled = build.build_task(config).augment(jax.random.key(seed), example)
        (start,) = [i for i in range(4) if np.array_equal(rolled.cine[0], one.cine[i])]
        np.testing.assert_array_equal(rolled.cine, one.cine[(start + np.arange(7)) % 4])
        starts.add(start)
    assert starts == {0, 1, 2, 3}


def test_every_epoch_sees_each_series_once_in_a_new_order():
    kinds = buckets([series((4, 1, 16, 18), i) for i in range(6)])
    plan = batches.make(kinds, 2, 9, seed=0)
    epochs = plan.reshape(3, 6)
    assert all(sorted(epoch) == list(range(6)) for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) == 3
    np.testing.assert_array_equal(plan[:4], batches.make(kinds, 2, 4, seed=0))
    assert not np.array_equal(plan, batches.make(kinds, 2, 9, seed=1))


def test_batches_stay_in_their_bucket_and_small_buckets_repeat():
    kinds = buckets([series(shape, i) for i, shape in enumerate(RAGGED)])
    plan = batches.make(kinds, 2, 30, seed=0)
    assert batches.steps_per_epoch(kinds, 2) == 3
    assert all(len({kinds[i] for i in batch}) == 1 for batch in plan)
    assert set(plan.ravel()) == set(range(5))


def ragged_dataset(measured=False, kinds=4):
    shapes = [RAGGED[i % kinds] for i in range(12)]
    made = tuple(series(s, i, measured) for i, s in enumerate(shapes))
    return Dataset(made, "ragged", Facts("ragged", complex=True, subjects_known=True))


def test_a_ragged_data_set_trains_with_one_compilation_a_bucket_and_evaluates(
    config, tmp_path, monkeypatch
):
    monkeypatch.setattr(build, "read_data", lambda config: ragged_dataset())
    compiled = []
    original = train.memory.compile_within_memory
    monkeypatch.setattr(
        train.memory, "compile_within_memory", lambda *a: compiled.append(1) or original(*a)
    )
    config.train.update(num_steps=16, batch_size=2)
    config.methods = ("zero_filled",)
    train.train(config, tmp_path / "run")
    parts = build.split_data(ragged_dataset(), config)
    assert len(compiled) == len(set(buckets(parts["train"]))) > 1
    _, result = evaluate.evaluate(config, tmp_path / "run", pictures=False)
    assert result["methods"]["model"]["psnr"]["n"] == len(parts["test"])


@pytest.fixture
def stored(tmp_path):
    """A store of measured series of two shapes."""
    path = tmp_path / "store.h5"
    store.begin(path)
    for index, one in enumerate(ragged_dataset(measured=True, kinds=2).series):
        mask = np.ones((len(one.cine), one.shape.lines, 1), bool)
        store.write(path, index, Measurement(one.kspace, mask, one.name, one.subject), one.maps)
    return path


def stream(config, path, **fields):
    config = config.copy_and_resolve_references()
    config.unlock()
    config.data = dict(name="store", path=str(path), cyclic=True, reference="sense")
    config.augment.update(flips=True, frame_roll=True, global_phase=True)
    config.train.update(num_steps=6, batch_size=2, **fields)
    return config


@pytest.mark.parametrize("num_workers", [pytest.param(0, marks=pytest.mark.slow), 2])
def test_streaming_trains_exactly_like_series_in_memory(config, stored, tmp_path, num_workers):
    pytest.importorskip("grain")
    runs = {}
    for name, fields in {
        "resident": dict(streaming="never"),
        "streamed": dict(streaming="always", num_workers=num_workers),
    }.items():
        chosen = stream(config, stored, **fields)
        train.train(chosen, tmp_path / name)
        runs[name] = final_state(tmp_path / name)
    jax.tree.map(np.testing.assert_array_equal, runs["resident"], runs["streamed"])


def test_a_stream_goes_on_where_the_checkpoint_stands(config, stored):
    pytest.importorskip("grain")
    chosen = stream(config, stored, streaming="always", num_workers=0)
    examples = feed.feed(build.read_data(chosen).series, build.pipeline(chosen))
    plan = batches.make(examples.buckets, 2, 6, seed=0)
    mesh = train.one_axis_mesh(1)
    seeds = lambda plan: [b.seed.tolist() for b, _ in examples.batches(plan, mesh)]
    assert seeds(plan)[4:] == seeds(plan[4:]) and len({tuple(s) for s in seeds(plan)}) > 1


def test_stored_series_are_records_until_they_are_loaded(stored):
    dataset = store.store(path=str(stored))
    one, expected = dataset.series[1], ragged_dataset(measured=True, kinds=2).series[1]
    assert not any(isinstance(v, np.ndarray) for v in vars(one).values())
    assert one.shape == Shape(*RAGGED[1]) and one.measured and len(pickle.dumps(one)) < 2000
    loaded = one.load()
    np.testing.assert_allclose(loaded.cine, expected.cine, atol=1e-5)
    np.testing.assert_array_equal(loaded.kspace, expected.kspace)
    assert loaded.shape == one.shape


def test_measured_k_space_is_what_networks_see(config):
    one = series((4, 3, 16, 18), 0, measured=True)
    noisy = dataclasses.replace(one, kspace=one.kspace + np.float32(0.5))
    acquired, _ = build.acquisition(config).simulate(noisy)
    sampled = np.broadcast_to(np.asarray(acquired.mask)[:, None], noisy.kspace.shape)
    np.testing.assert_array_equal(np.asarray(acquired.kspace)[sampled], noisy.kspace[sampled])
    assert not np.asarray(acquired.kspace)[~sampled].any()
    example = prepare(noisy, buckets([noisy])[0], build.pipeline(config))
    np.testing.assert_array_equal(example.kspace, noisy.kspace)


def test_the_reference_may_be_the_root_sum_of_squares(config):
    one = series((4, 3, 16, 18), 0, measured=True)
    silent = dataclasses.replace(one, maps=np.where(np.arange(18) < 9, one.maps, 0))
    silent = dataclasses.replace(silent, cine=np.where(np.arange(18) < 9, one.cine, 0))
    config.data.reference = "rss"
    reference = build.acquisition(config).reference
    np.testing.assert_allclose(np.abs(load(silent, reference).cine), np.abs(one.cine), atol=1e-5)
    np.testing.assert_allclose(load(one, reference).cine, one.cine, atol=1e-5)
    config.data.reference = "sos"
    with pytest.raises(InputError, match=r"data.reference must be one of sense, rss"):
        build.acquisition(config)


def test_other_maps_turn_the_phase_of_the_reference_and_not_its_data():
    one = series((4, 3, 16, 18), 0)
    turn = np.exp(1j * np.random.default_rng(0).uniform(0, 6, (16, 18))).astype(np.complex64)
    turned = in_phase_of(one, one.maps * turn)
    np.testing.assert_allclose(turned.maps, one.maps * turn, atol=1e-5)
    np.testing.assert_allclose(turned.cine * turn, one.cine, atol=1e-5)


def test_networks_train_and_are_evaluated_with_estimated_maps(config, tmp_path):
    config.data.num_coils = 4
    config.coil_maps = dict(name="espirit", kernel=3, limit=12)
    config.train.num_steps = 1
    train.train(config, tmp_path / "run")
    _, result = evaluate.evaluate(config, tmp_path / "run", pictures=False)
    assert result["protocol"]["coil_maps"]["name"] == "espirit"
    one = build.read_data(config).series[0]
    example = prepare(one, buckets([one])[0], build.pipeline(config))
    assert not np.allclose(example.maps, example.true_maps)
    overlap = np.sum(np.conj(example.maps) * example.true_maps, axis=0)
    np.testing.assert_allclose(overlap.imag, 0, atol=1e-5)


def test_impossible_settings_are_refused(config, stored):
    with pytest.raises(InputError, match=r"train\.streaming must be one of"):
        feed.feed([], build.pipeline(stream(config, stored, streaming="sometimes")))
    chosen = stream(config, stored, streaming="always")
    chosen.coil_maps = dict(name="walsh")
    with pytest.raises(InputError, match=r"--config.coil_maps.name=given"):
        feed.feed(build.read_data(chosen).series, build.pipeline(chosen))


@pytest.mark.parametrize("variant", ["modl", pytest.param("varnet", marks=pytest.mark.slow)])
def test_one_short_config_trains_on_series_of_many_shapes(variant, stored, tmp_path):
    config = cmrxrecon.get_config(variant)
    config.data.path = str(stored)
    config.mask.update(acceleration=3.0, num_center_lines=2)
    config.model.denoiser.update(width=4, depth=2)
    config.model.update(num_cascades=1)
    config.train.update(num_steps=4)
    config.methods, config.metrics = ("zero_filled",), ("psnr",)
    train.train(config, tmp_path / "run")
    target, result = evaluate.evaluate(config, tmp_path / "run", pictures=False)
    assert np.isfinite(result["methods"]["model"]["psnr"]["mean"])
    assert "as measured in 12 of 12" in (target / "card.json").read_text()
    assert len(Path(cmrxrecon.__file__).read_text().splitlines()) < 60


@pytest.mark.slow
def test_host_memory_does_not_grow_with_the_data_set(tmp_path):
    """Four times the series, the same peak: less than a quarter of what they add to the disk."""
    pytest.importorskip("grain")
    peaks, shape = {}, (12, 4, 96, 96)
    frames, coils, *matrix = shape
    for count in (20, 80):
        path = tmp_path / f"{count}.h5"
        store.begin(path)
        for index in range(count):
            one = series(shape, index, measured=True)
            mask = np.ones((frames, matrix[0], 1), bool)
            store.write(path, index, Measurement(one.kspace, mask, one.name, one.subject), one.maps)
        code = (
            "import resource, sys; from pathlib import Path; from configs import default; from jdmri.training import train\n"
            "config = default.get_config(); config.unlock()\n"
            f"config.data.update(name='store', path={str(path)!r})\n"
            "config.model.denoiser.update(width=4); config.model.num_cascades = 1\n"
            "config.train.update(num_steps=30, streaming='always', num_workers=0)\n"
            f"train.train(config, Path({str(tmp_path / f'run-{count}')!r}))\n"
            "sys.stdout.write(str(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss))\n"
        )
        root = str(ROOT)
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True,
            env=os.environ | {"PYTHONPATH": root},
        )  # fmt: skip
        peaks[count] = int(done.stdout) * 1024
    added = 60 * 8 * frames * coils * matrix[0] * matrix[1]
    assert peaks[80] - peaks[20] < added / 4, peaks


def test_stacked_examples_keep_what_they_do_not_have():
    first = series((4, 1, 16, 18), 0)
    one = prepare(first, buckets([first])[0], build.pipeline(default.get_config()))
    both = stack([one, one])
    assert isinstance(both, Examples) and both.kspace is None and both.cine.shape == (2, 4, 16, 18)
