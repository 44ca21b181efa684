"""The first layers of VGG as a fixed feature extractor, from a file of the user's or with random filters.

Simonyan & Zisserman 2015, arXiv:1409.1556. Up to conv3_1 VGG-16 and VGG-19 have the same layers.
"""

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float

from jdmri.errors import InputError

SHAPES = ((3, 64), (64, 64), (64, 128), (128, 128), (128, 256))  # conv1_1, 1_2, 2_1, 2_2, 3_1
TAPS = (0, 2, 4)  # after the activations of conv1_1, conv2_1 and conv3_1
_POOL_AFTER = (1, 3)
_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # ImageNet, as torchvision
_HOW = (
    "make one with launch/convert_vgg.py from torchvision's vgg16 .pth, or set "
    "vgg_path=random for fixed random filters, which every table will say"
)


class Filters(NamedTuple):
    """Convolutions of the five layers, and what the image goes through before.

    Attributes:
        kernels: ``[y, x, in, out]`` each.
        biases: ``[out]`` each.
        colour: ``[3, 3]``, applied to the three channels first.
        shift: ``[3]``, added then.
        padding: ``zeros`` (torchvision) or ``reflect``.
    """

    kernels: tuple[np.ndarray, ...]
    biases: tuple[np.ndarray, ...]
    colour: np.ndarray
    shift: np.ndarray
    padding: str


def load(path: str, sha256: str = "") -> Filters:
    """Read filters, or draw the fixed random ones.

    Args:
        path: ``random``, or an ``.npz`` or ``.safetensors`` with torchvision's key names (``features.0.weight``,
            …) or with those of the normalised VGG (``0.weight``, ``2.weight``, …).
        sha256: of the file; "" does not check.

    Raises:
        InputError: no such file, another hash, or other keys or shapes.
    """
    if path == "random":
        return _random()
    if not path:
        raise InputError(f"the perceptual loss needs vgg_path, a file of VGG weights: {_HOW}.")
    file = Path(path)
    if not file.is_file():
        raise InputError(f"no VGG weights at vgg_path={path}: {_HOW}.")
    found = hashlib.sha256(file.read_bytes()).hexdigest()
    if sha256 and found != sha256.lower():
        raise InputError(f"{path} has SHA-256 {found}, sha256 wants {sha256}.")
    return _from_arrays(_read(file), path)


def features(filters: Filters, images: Float[Array, "n y x"]) -> list[Array]:
    """Features ``[n, y, x, channel]`` of grey images (0…1) after conv1_1, conv2_1 and conv3_1."""
    x = jnp.stack([images] * 3, axis=-1) @ filters.colour + filters.shift.reshape(1, 1, 1, 3)
    taps = []
    for layer, (kernel, bias) in enumerate(zip(filters.kernels, filters.biases, strict=True)):
        x = jax.nn.relu(_convolve(x, kernel, filters.padding) + bias.reshape(1, 1, 1, -1))
        if layer in TAPS:
            taps.append(x)
        if layer in _POOL_AFTER:
            x = lax.reduce_window(x, -jnp.inf, lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")
    return taps


def _convolve(x: Array, kernel: np.ndarray, padding: str) -> Array:
    mode = "reflect" if padding == "reflect" else "constant"
    x = jnp.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)), mode=mode)
    numbers = ("NHWC", "HWIO", "NHWC")
    return lax.conv_general_dilated(x, kernel, (1, 1), "VALID", dimension_numbers=numbers)


def _random() -> Filters:
    """Kaiming-normal filters from a fixed seed: they see structure, but nothing was learnt."""
    rng = np.random.default_rng(16)
    draw = lambda i, o: rng.normal(0, np.sqrt(2 / (9 * i)), (3, 3, i, o)).astype(np.float32)
    kernels = tuple(draw(i, o) for i, o in SHAPES)
    biases = tuple(np.zeros(o, np.float32) for _, o in SHAPES)
    return Filters(kernels, biases, *_imagenet(), "zeros")


def _imagenet() -> tuple[np.ndarray, np.ndarray]:
    mean, std = np.array(_MEAN, np.float32), np.array(_STD, np.float32)
    return np.diag(1 / std), -mean / std


def _read(file: Path) -> Mapping[str, np.ndarray]:
    readers: dict[str, Callable] = {".npz": _read_npz, ".safetensors": _read_safetensors}
    if file.suffix not in readers:
        raise InputError(f"vgg_path={file} must end in .npz or .safetensors; {_HOW}.")
    try:
        return readers[file.suffix](file)
    except ImportError as error:
        raise InputError(
            f"{file} needs the package safetensors: pip install 'jdmri[vgg]'."
        ) from error
    except InputError:
        raise
    except Exception as error:
        raise InputError(f"cannot read {file}: {error}") from error


def _read_npz(file: Path) -> dict[str, np.ndarray]:
    with np.load(file, allow_pickle=False) as loaded:
        return {name: loaded[name] for name in loaded}


def _read_safetensors(file: Path) -> dict[str, np.ndarray]:
    from safetensors.numpy import load_file  # an extra

    return load_file(file)


def _from_arrays(arrays: Mapping[str, np.ndarray], path: str) -> Filters:
    """Recognise the layout by its keys."""
    if "features.0.weight" in arrays:
        indices, prefix, before, padding = (0, 2, 5, 7, 10), "features.", _imagenet(), "zeros"
    elif "0.weight" in arrays and np.shape(arrays["0.weight"]) == (3, 3, 1, 1):
        indices, prefix, padding = (2, 5, 9, 12, 16), "", "reflect"
        before = arrays["0.weight"][:, :, 0, 0].T, arrays.get("0.bias", np.zeros(3, np.float32))
    else:
        raise InputError(
            f"{path} holds no VGG that is known: wanted keys features.0.weight … features.10.bias, got "
            f"{', '.join(list(arrays)[:4]) or 'none'}; {_HOW}."
        )
    weights = [_entry(arrays, f"{prefix}{i}.weight", (o, c, 3, 3), path) for i, (c, o) in zip(indices, SHAPES, strict=True)]  # fmt: skip
    biases = [_entry(arrays, f"{prefix}{i}.bias", (o,), path) for i, (_, o) in zip(indices, SHAPES, strict=True)]  # fmt: skip
    return Filters(tuple(w.transpose(2, 3, 1, 0) for w in weights), tuple(biases), *before, padding)


def _entry(arrays, name: str, shape: tuple[int, ...], path: str) -> np.ndarray:
    found = np.shape(arrays[name]) if name in arrays else "nothing"
    if found != shape:
        raise InputError(f"{path}: wanted {name} of shape {shape}, got {found}.")
    return np.asarray(arrays[name], np.float32)
