"""The network that comes with the package: whole, found by its name, and better than what it starts from."""

import shutil

import jax
import numpy as np
import pytest

import jdmri
from jdmri import masks, metrics, models, phantom
from jdmri.classical import METHODS
from jdmri.errors import InputError
from jdmri.models import pretrained
from jdmri.ops import sense
from jdmri.training import restore
from tests.helpers.networks import example


def test_the_weights_are_those_of_the_network_on_the_card(key):
    about = pretrained.card()
    network = models.build(about["model"])
    shapes = jax.eval_shape(network.init, key, *example(key))["params"]
    weights = pretrained.parameters()
    assert jax.tree.map(np.shape, weights) == jax.tree.map(lambda p: p.shape, shapes)
    sizes = [w.size for w in jax.tree.leaves(weights) if w.dtype == np.float32]
    assert sum(sizes) == about["num_parameters"]


def test_damaged_weights_are_refused_in_one_line(tmp_path, monkeypatch):
    for path in pretrained._CARD.parent.iterdir():
        shutil.copy(path, tmp_path)
    monkeypatch.setattr(pretrained, "_CARD", tmp_path / pretrained._CARD.name)
    assert pretrained.parameters()
    file = tmp_path / pretrained.card()["file"]
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    with pytest.raises(InputError, match=r"^[^\n]*is damaged[^\n]*$"):
        METHODS.build({"name": "flagship"})


def test_a_folder_of_its_name_wins_and_it_has_one_checkpoint(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert callable(jdmri.restore("flagship"))
    with pytest.raises(InputError, match="one set of weights"):
        jdmri.restore("flagship", "latest")
    (tmp_path / "flagship").mkdir()
    with pytest.raises(InputError, match="no run in flagship"):
        restore.restore("flagship")


def test_it_beats_adaptive_total_variation_in_any_units(key):
    keys = jax.random.split(key, 3)
    scan = phantom.simulate(keys[0], num_frames=12, matrix=(64, 64), num_coils=1)
    cine = np.asarray(scan.cine)
    mask = masks.variable_density(acceleration=5.0, num_center_lines=5)(keys[1], cine.shape)
    sigma = 0.02 * float(np.percentile(np.abs(cine), 99))
    kspace = np.asarray(sense.acquire(keys[2], scan.cine, scan.maps, mask, sigma))
    network = jdmri.restore("flagship")
    estimate = np.asarray(network(kspace, scan.maps, mask))
    psnr = metrics.METRICS.build({"name": "psnr"})
    start = np.asarray(METHODS.build({"name": "adaptive_tv"})(kspace, scan.maps, mask))
    assert psnr(estimate, cine) > psnr(start, cine) + 0.5
    thousand = network(1000 * kspace, scan.maps, mask)
    np.testing.assert_allclose(thousand, 1000 * estimate, atol=0.2)


def test_it_beats_adaptive_total_variation_where_time_does_not_wrap_round(key):
    keys = jax.random.split(key, 3)
    scan = phantom.simulate(keys[0], num_frames=12, matrix=(64, 64), num_coils=1)
    cine = np.asarray(scan.cine)[:7]  # half a beat
    mask = masks.variable_density(acceleration=4.0, num_center_lines=5)(keys[1], cine.shape)
    sigma = 0.02 * float(np.percentile(np.abs(cine), 99))
    data = sense.acquire(keys[2], cine, scan.maps, mask, sigma), scan.maps, mask
    psnr = metrics.METRICS.build({"name": "psnr"})
    network, start = (
        psnr(np.asarray(METHODS.build({"name": name}, cyclic=False)(*data)), cine)
        for name in ("flagship", "adaptive_tv")
    )
    assert network > start + 0.3
