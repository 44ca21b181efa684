"""Losses: against direct NumPy formulas; zero at equality; gradients finite; VGG files."""

import hashlib
import subprocess
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.ndimage
from skimage.metrics import structural_similarity

from jdmri import losses
from jdmri.errors import InputError
from jdmri.losses import vgg
from tests.helpers.arrays import complex_normal

SHAPE = (8, 12, 11)
SECTIONS = {
    "l1": dict(name="l1"),
    "l1 magnitude": dict(name="l1", domain="magnitude"),
    "l2": dict(name="l2"),
    "l2 magnitude": dict(name="l2", domain="magnitude"),
    "charbonnier": dict(name="charbonnier", epsilon=0.01),
    "ssim": dict(name="ssim"),
    "ssim 3-D": dict(name="ssim", dimensions=3),
    "dssim": dict(name="dssim"),
    "edge": dict(name="edge"),
    "perceptual": dict(name="perceptual", vgg_path="random"),
    "perceptual S1": dict(name="perceptual", vgg_path="random", alpha=0.2),
    "composite": dict(
        name="composite", terms=dict(l1=dict(weight=1.0), ssim=dict(weight=0.1, start=2, end=5))
    ),
}


def similarity(x, g, **options):
    """Mean SSIM of the frames; the range is the series' maximum."""
    options["data_range"] = g.max()
    return np.mean([structural_similarity(a, b, **options) for a, b in zip(x, g, strict=True)])


def features(filters, images):
    """The network by sliding windows."""
    x = np.stack([images] * 3, -1) @ filters.colour + filters.shift
    taps = []
    for layer, (kernel, bias) in enumerate(zip(filters.kernels, filters.biases, strict=True)):
        mode = "reflect" if filters.padding == "reflect" else "constant"
        padded = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)), mode=mode)
        windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), (1, 2))
        x = np.maximum(np.einsum("nyxcij,ijcf->nyxf", windows, kernel) + bias, 0)
        if layer in (0, 2, 4):
            taps.append(x)
        if layer in (1, 3):
            n, y, w, c = x.shape
            x = x[:, : y // 2 * 2, : w // 2 * 2].reshape(n, y // 2, 2, w // 2, 2, c).max((2, 4))
    return taps


def perceptual(x, g):
    filters = vgg.load("random")
    pairs = zip(features(filters, x), features(filters, g), strict=True)
    distances = [np.mean((a - b) ** 2) for a, b in pairs]
    return np.dot((0.65, 0.3, 0.05), distances)


def edge(x, g):
    inside = (slice(None), slice(1, -1), slice(1, -1))
    per_frame = lambda a, axis: np.stack([scipy.ndimage.sobel(f, axis) for f in a])[inside]
    parts = [np.mean((per_frame(x, axis) - per_frame(g, axis)) ** 2) for axis in (0, 1)]
    return 0.8 * np.mean((x - g) ** 2) + 0.2 * sum(parts)


FORMULAS = {
    "l1": lambda x, g: np.mean(np.abs(x - g)),
    "l1 magnitude": lambda x, g: np.mean(np.abs(np.abs(x) - np.abs(g))),
    "l2": lambda x, g: np.mean(np.abs(x - g) ** 2),
    "l2 magnitude": lambda x, g: np.mean((np.abs(x) - np.abs(g)) ** 2),
    "charbonnier": lambda x, g: np.mean(np.sqrt(np.abs(x - g) ** 2 + 0.01**2) - 0.01),
    "ssim": lambda x, g: 1 - similarity(abs(x), abs(g)),
    "ssim 3-D": lambda x, g: 1 - structural_similarity(abs(x), abs(g), data_range=abs(g).max()),
    "dssim": lambda x, g: (1 - similarity(abs(x), abs(g), win_size=3, use_sample_covariance=False)) / 2,
    "edge": lambda x, g: edge(abs(x), abs(g)),
    "perceptual": lambda x, g: perceptual(abs(x), abs(g)),
    "perceptual S1": lambda x, g: 0.8 * np.mean((abs(x) - abs(g)) ** 2) + 0.2 * perceptual(abs(x), abs(g)),
    "composite": lambda x, g: FORMULAS["l1"](x, g) + 0.1 * FORMULAS["ssim"](x, g),
}  # fmt: skip


@pytest.fixture
def pair(key):
    x, g = complex_normal(key, (2, *SHAPE))
    return g + 0.3 * x, g


def test_every_loss_is_here():
    assert {section["name"] for section in SECTIONS.values()} == set(losses.LOSSES)


@pytest.mark.parametrize("case", SECTIONS)
def test_losses_by_formula(pair, case):
    loss = losses.LOSSES.build(SECTIONS[case])
    x, g = pair
    np.testing.assert_allclose(loss(x, g, 3), FORMULAS[case](*map(np.asarray, pair)), rtol=1e-4)
    assert loss(g, g, 3) == pytest.approx(0, abs=1e-6)
    gradient = jax.jit(jax.grad(lambda x: loss(x, g, 3)))
    for point in (g, 0 * g, x):
        assert np.isfinite(gradient(jnp.asarray(point))).all()
    assert np.abs(gradient(jnp.asarray(x))).max() > 0


def test_terms_begin_and_end(pair):
    x, g = pair
    loss = losses.LOSSES.build(SECTIONS["composite"])
    alone = losses.l1()(x, g, 0)
    np.testing.assert_allclose(loss(x, g, 1), alone, rtol=1e-6)
    np.testing.assert_allclose(loss(x, g, 5), alone, rtol=1e-6)
    assert loss(x, g, 4) > alone
    late = losses.edge(start_epoch=10, steps_per_epoch=10)
    np.testing.assert_allclose(late(x, g, 99), losses.l2(domain="magnitude")(x, g, 0), rtol=1e-5)
    assert late(x, g, 100) > late(x, g, 99)


@pytest.mark.parametrize(
    ("section", "message"),
    [
        (dict(name="charbonnier", epsilon=0.0), "epsilon must be positive"),
        (dict(name="ssim", dimensions=4), "dimensions must be 2 or 3"),
        (dict(name="edge", alpha=2.0), "alpha must be in"),
        (dict(name="composite", terms={}), "terms is empty"),
        (dict(name="composite", terms=dict(l1=dict(begin=3))), "takes weight"),
        (dict(name="composite", terms=dict(l3=dict(weight=1.0))), "unknown loss 'l3'"),
        (dict(name="perceptual"), "launch/convert_vgg.py"),
        (dict(name="perceptual", vgg_path="random", weights=(1.0,)), "three weights"),
    ],
)
def test_impossible_losses_are_refused(section, message):
    with pytest.raises(InputError, match=message):
        losses.LOSSES.build(section)


def test_windows_must_fit(key):
    x = complex_normal(key, (5, 12, 11))
    with pytest.raises(InputError, match="windows of 7"):
        losses.ssim(dimensions=3)(x, x, 0)


def torchvision_arrays(rng):
    arrays = {}
    for index, (c, f) in zip((0, 2, 5, 7, 10), vgg.SHAPES, strict=True):
        arrays[f"features.{index}.weight"] = rng.normal(0, 0.1, (f, c, 3, 3)).astype(np.float32)
        arrays[f"features.{index}.bias"] = rng.normal(0, 0.1, f).astype(np.float32)
    return arrays


def normalised_arrays(rng):
    theirs = torchvision_arrays(rng)
    renamed = dict(zip((0, 2, 5, 7, 10), (2, 5, 9, 12, 16), strict=True))
    arrays = {
        f"{renamed[int(name.split('.')[1])]}.{name.split('.')[2]}": a for name, a in theirs.items()
    }
    colour = np.zeros((3, 3, 1, 1), np.float32)
    colour[[0, 1, 2], [2, 1, 0]] = 255
    return arrays | {"0.weight": colour, "0.bias": np.float32([-104, -117, -124])}


@pytest.mark.parametrize("layout", [torchvision_arrays, normalised_arrays])
def test_vgg_files_give_the_features_of_the_formula(tmp_path, layout):
    rng = np.random.default_rng(1)
    arrays, path = layout(rng), tmp_path / "vgg.npz"
    np.savez(path, **arrays)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    filters = vgg.load(str(path), digest)
    images = rng.random((2, 9, 8)).astype(np.float32)
    for ours, plain in zip(
        vgg.features(filters, jnp.asarray(images)), features(filters, images), strict=True
    ):
        np.testing.assert_allclose(ours, plain, rtol=1e-4, atol=1e-4 * np.abs(plain).max())
    with pytest.raises(InputError, match="SHA-256"):
        vgg.load(str(path), "0" * 64)


def test_vgg_features_equal_pytorch(tmp_path):
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(2)
    arrays, path = torchvision_arrays(rng), tmp_path / "vgg.npz"
    np.savez(path, **arrays)
    images = rng.random((2, 10, 12)).astype(np.float32)
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    x = torch.tensor(images)[:, None].repeat(1, 3, 1, 1)
    x = (x - mean[:, None, None]) / std[:, None, None]
    theirs = []
    for index in (0, 2, 5, 7, 10):
        weight, bias = (torch.tensor(arrays[f"features.{index}.{p}"]) for p in ("weight", "bias"))
        x = torch.relu(torch.nn.functional.conv2d(x, weight, bias, padding=1))
        if index in (0, 5, 10):
            theirs.append(x.permute(0, 2, 3, 1).numpy())
        if index in (2, 7):
            x = torch.nn.functional.max_pool2d(x, 2)
    ours = vgg.features(vgg.load(str(path)), jnp.asarray(images))
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-3)


def test_convert_vgg_keeps_what_the_loss_needs(tmp_path):
    torch = pytest.importorskip("torch")
    arrays = torchvision_arrays(np.random.default_rng(5))
    state = {name: torch.tensor(a) for name, a in arrays.items()}
    torch.save(state | {"classifier.0.weight": torch.zeros(3)}, tmp_path / "vgg16.pth")
    script = Path(__file__).parents[2] / "launch" / "convert_vgg.py"
    paths = [str(tmp_path / name) for name in ("vgg16.pth", "vgg16.npz")]
    run = subprocess.run(
        [sys.executable, str(script), *paths], capture_output=True, text=True, check=True
    )
    filters = vgg.load(paths[1], run.stdout.split()[-1])
    np.testing.assert_array_equal(filters.biases[4], arrays["features.10.bias"])


def test_vgg_reads_safetensors(tmp_path):
    safetensors = pytest.importorskip("safetensors.numpy")
    arrays, path = torchvision_arrays(np.random.default_rng(3)), tmp_path / "vgg.safetensors"
    safetensors.save_file(arrays, path)
    np.testing.assert_array_equal(vgg.load(str(path)).biases[0], arrays["features.0.bias"])


def test_wrong_vgg_files_are_refused(tmp_path):
    arrays = torchvision_arrays(np.random.default_rng(4))
    np.savez(tmp_path / "other.npz", something=np.zeros(3))
    np.savez(tmp_path / "shape.npz", **arrays | {"features.2.bias": np.zeros(3)})
    np.savez(tmp_path / "pickled.npz", **{"features.0.weight": np.array([{}], object)})
    (tmp_path / "broken.npz").write_bytes(b"PK nonsense")
    (tmp_path / "vgg.pth").write_bytes(b"anything")
    wanted = {
        "missing.npz": "no VGG weights",
        "other.npz": "no VGG that is known",
        "shape.npz": "features.2.bias of shape",
        "pickled.npz": "cannot read",
        "broken.npz": "cannot read",
        "vgg.pth": "must end in",
    }
    for name, message in wanted.items():
        with pytest.raises(InputError, match=message):
            vgg.load(str(tmp_path / name))
