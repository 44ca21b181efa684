"""Masks: budgets, centres, determinism, refusals."""

import subprocess
import sys

import jax
import numpy as np
import pytest

from jdmri.errors import InputError
from jdmri.masks import MASKS, describe

SETTINGS = {
    "variable_density": dict(acceleration=5.0, num_center_lines=11),
    "kt_gaussian": dict(acceleration=5.0, num_center_lines=10),
    "uniform": dict(acceleration=4, num_center_lines=22),
    "lattice": dict(acceleration=5, num_center_lines=8),
    "full": {},
}


def build(name, **changes):
    return MASKS.build({"name": name} | SETTINGS[name] | changes)


def test_every_mask_is_tested():
    assert set(SETTINGS) == set(MASKS)


@pytest.mark.parametrize("name", ["variable_density", "kt_gaussian"])
@pytest.mark.parametrize("lines", [192, 95])
def test_weighted_masks_have_exact_counts(key, name, lines):
    mask = np.asarray(build(name)(key, (20, lines, 40)))
    assert mask.shape == (20, lines, 1) and mask.dtype == bool
    assert (mask.sum(axis=(1, 2)) == lines // 5).all()


def test_variable_density_is_that_of_s0(key):
    mask = np.asarray(build("variable_density")(key, (20, 192, 192)))[..., 0]
    assert (mask.sum(axis=1) == 38).all()
    assert mask[:, 91:102].all()
    about = describe(mask[..., None])
    assert about["acceleration"] == pytest.approx(192 / 38)
    assert about["lines_per_frame"] == 38 and about["num_center_lines"] == 11


def test_variable_density_follows_its_weights():
    sampler = build("variable_density", acceleration=8.0, num_center_lines=0)
    keys = jax.random.split(jax.random.key(3), 1000)
    drawn = np.asarray(jax.vmap(lambda k: sampler(k, (20, 24, 1)))(keys))
    frequency = drawn.mean(axis=(0, 1, 3))
    # Without replacement, 3 of 24: the first draw alone is proportional to the weight.
    weights = (1 - np.abs(np.arange(24) - 12) / 12) ** 2
    expected = _inclusion(weights / weights.sum(), 3)
    np.testing.assert_allclose(frequency, expected, atol=0.015)


def _inclusion(p, count):
    rng = np.random.default_rng(0)
    hits = np.zeros(len(p))
    for _ in range(20000):
        hits[rng.choice(len(p), count, replace=False, p=p)] += 1
    return hits / 20000


@pytest.mark.parametrize("name", ["variable_density", "kt_gaussian"])
def test_acceleration_one_samples_everything(key, name):
    mask = build(name, acceleration=1.0, num_center_lines=4)(key, (3, 24, 5))
    assert np.asarray(mask).all()


def test_uniform_has_outer_spacing_and_extra_centre_lines(key):
    mask = np.asarray(build("uniform")(key, (5, 192, 1)))[..., 0]
    assert (mask == mask[0]).all()
    outer = np.flatnonzero(mask[0, :80])
    assert (np.diff(outer) == 4).all()
    assert mask[0, 85:107].all()
    assert describe(mask[..., None])["acceleration"] == pytest.approx(2.97, abs=0.05)
    moved = np.asarray(build("uniform", per_frame=True)(key, (5, 192, 1)))[..., 0]
    assert moved[:4, :80].any(axis=0).all() and not moved[:3, :80].any(axis=0).all()


def test_lattice_is_sheared_and_covers_all_lines(key):
    mask = np.asarray(build("lattice", num_center_lines=0)(key, (10, 40, 1)))[..., 0]
    assert (mask.sum(axis=1) == 8).all() and mask[:5].any(axis=0).all()
    first = np.array([np.flatnonzero(m)[0] for m in mask])
    assert (np.diff(first) % 5 == 2).all()
    still = np.asarray(build("lattice", per_frame=False)(key, (10, 40, 1)))
    assert (still == still[0]).all()


@pytest.mark.parametrize("name", ["variable_density", "kt_gaussian"])
def test_frames_differ_unless_shared(key, name):
    per_frame = np.asarray(build(name)(key, (6, 96, 1)))
    shared = np.asarray(build(name, per_frame=False)(key, (6, 96, 1)))
    assert (shared == shared[0]).all() and not (per_frame == per_frame[0]).all()


@pytest.mark.parametrize("name", SETTINGS)
def test_same_key_same_mask_in_another_process(name):
    code = (
        "import jax, numpy as np; from jdmri.masks import MASKS; import hashlib;"
        f"m = MASKS.build({ ({'name': name} | SETTINGS[name])!r});"
        "print(np.packbits(np.asarray(jax.jit(lambda k: m(k, (6, 60, 9)))(jax.random.key(5)))).tobytes().hex())"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    here = np.packbits(np.asarray(build(name)(jax.random.key(5), (6, 60, 9)))).tobytes().hex()
    assert run.stdout.strip() == here


def test_what_counts_in_the_nominal_acceleration():
    counted = {name: build(name).counts_centre for name in SETTINGS}
    assert counted == {
        "variable_density": True, "kt_gaussian": True, "uniform": False, "lattice": False, "full": True
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "changes", "message"),
    [
        ("variable_density", dict(num_center_lines=40), "40 centre lines do not fit.*allow 38"),
        ("variable_density", dict(acceleration=0.5), "at least 1"),
        ("kt_gaussian", dict(num_center_lines=38), "38 centre lines leave no other"),
        ("kt_gaussian", dict(num_center_lines=-1), "at least 0"),
        ("uniform", dict(acceleration=2.5), "whole acceleration"),
        ("uniform", dict(acceleration=200), "too few"),
    ],
)
def test_impossible_settings_are_refused_with_the_numbers(key, name, changes, message):
    with pytest.raises(InputError, match=message):
        build(name, **changes)(key, (2, 192, 192))


def test_describe_counts_a_known_mask():
    mask = np.zeros((2, 9, 1), bool)
    mask[:, 3:6] = True
    mask[0, 0] = True
    assert describe(mask) == {
        "acceleration": 18 / 7, "lines_per_frame": 3.5, "num_center_lines": 3
    }  # fmt: skip
