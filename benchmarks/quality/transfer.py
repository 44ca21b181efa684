"""Does what is learnt on the phantom hold on real hearts? The demo network, four sources, real series.

    python -m benchmarks.quality.transfer --real=cine.npz --phase=complex_images.npz --output=runs/transfer

Sources: the phantom; concentric discs that beat; textures with the phantom's spectrum, phase and
motion but no anatomy; and, as an upper bound, the real series themselves, look-alikes kept out (equal
training time: their matrix is four times larger, so a quarter of the steps). Noise, masks, network and
steps are the demo's. The last step is evaluated: nothing is selected on real data.
"""

import argparse
import json
from pathlib import Path

import jax
import numpy as np
import scipy.cluster.hierarchy
import scipy.ndimage
from tqdm import tqdm

import jdmri
from configs import demo
from jdmri import metrics, phantom
from jdmri.classical import METHODS
from jdmri.phantom import Scan
from jdmri.runtime import files
from jdmri.training import build, train

NUM_SERIES, SIZE = 70, dict(num_frames=20, matrix=(96, 96))
WEIGHTS = (0.0003, 0.001, 0.003, 0.006, 0.012, 0.025, 0.05)
FOLDS = 3
CONDITIONS = ("phase and noise", "magnitude as it is")


def main():
    """Make the sources, train, evaluate, print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--real", required=True)
    parser.add_argument("--phase", required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=1200)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--accelerations", type=float, nargs="+", default=[4.0, 8.0])
    options = parser.parse_args()
    sources = write_sources(options.output)
    folds = write_folds(options)
    table = {}
    for acceleration in options.accelerations:
        for seed in range(options.seeds):
            for name, path in sources.items():
                config = make_config(options, acceleration, seed, path)
                run = learn(config, options.output / f"{name}-R{acceleration:g}-{seed}")
                for condition in CONDITIONS:
                    scores = psnr(run, on_real(config, options, condition, options.real))
                    note(table, name, acceleration, condition, scores)
            learn_folds(table, options, acceleration, seed, folds)
            show(table)
        classical(table, acceleration, options, sources["phantom"])
        files.write_json(options.output / "table.json", table)
        show(table)


def write_sources(output: Path) -> dict[str, Path]:
    """Write the three synthetic data sets as npz files."""
    paths = {n: output / "data" / f"{n}.npz" for n in ("phantom", "discs", "textures")}
    if all(path.is_file() for path in paths.values()):
        return paths
    cines = {name: [] for name in paths}
    for i in tqdm(range(NUM_SERIES), desc="sources"):
        scan = jax.tree.map(np.asarray, phantom.simulate(jax.random.key(i), **SIZE))
        cines["phantom"].append(scan.cine)
        cines["discs"].append(discs(scan, i))
        cines["textures"].append(texture(scan, i))
    for name, path in paths.items():
        subject = np.array([f"{name}-{i}" for i in range(NUM_SERIES)])
        array = np.stack(cines[name]).astype(np.complex64)
        files.write_atomic(path, lambda p, a=array, s=subject: np.savez(p, dataset=a, subject=s))
    return paths


def smooth_phase(scan: Scan) -> np.ndarray:
    """The phantom's phase without its anatomy."""
    blur = lambda part: scipy.ndimage.gaussian_filter(part, 8)
    return np.angle(blur(scan.cine[0].real) + 1j * blur(scan.cine[0].imag))


def discs(scan: Scan, i: int) -> np.ndarray:
    """Concentric discs: the inner one beats with the phantom's volume."""
    rng = np.random.default_rng(i)
    y, x = np.indices(scan.cine.shape[1:], float)
    cy, cx = np.array(y.shape) / 2 + rng.uniform(-6, 6, 2)
    distance = np.hypot(y - cy, x - cx)
    radius = rng.uniform(6, 10) * np.sqrt(scan.volume / scan.volume.max())
    soft = lambda r: 1 / (1 + np.exp((distance - r) * 3))
    levels = rng.uniform(0.2, 1.0, 3)
    frames = [
        levels[0] * soft(40) + (levels[1] - levels[0]) * soft(r + 4) + (levels[2] - levels[1]) * soft(r)
        for r in radius
    ]  # fmt: skip
    return np.stack(frames) * np.exp(1j * smooth_phase(scan))


def texture(scan: Scan, i: int) -> np.ndarray:
    """Random phases on the phantom's amplitude spectrum, moved by the phantom's displacement."""
    rng = np.random.default_rng(i)
    image = np.abs(scan.cine[0])
    noise = np.fft.fft2(rng.normal(size=image.shape))
    field = np.fft.ifft2(np.abs(np.fft.fft2(image - image.mean())) * noise / np.abs(noise)).real
    ranked = np.empty(image.size)  # the phantom's histogram
    ranked[np.argsort(field, axis=None)] = np.sort(image, axis=None)
    still = ranked.reshape(image.shape)
    grid = np.indices(image.shape)
    read = lambda shift: scipy.ndimage.map_coordinates(still, grid + shift, order=3, mode="nearest")
    moved = np.stack([read(shift) for shift in scan.displacement])
    return moved * np.exp(1j * smooth_phase(scan))


def make_config(options, acceleration: float, seed: int, path: Path):
    """The demo's config on another data set, without figures of merit that are not shown."""
    config = demo.get_config()
    config.data.name, config.data.path = "npz", str(path)
    config.mask.acceleration, config.seed = acceleration, seed
    config.train.num_steps = options.steps
    config.eval.every_epochs = 1000
    return config


def learn(config, run: Path):
    """Train, or continue; return the reconstruction of the last step."""
    train.train(config, run)
    return jdmri.restore(run, checkpoint="latest")


def on_real(config, options, condition: str, path: str):
    """The config of an evaluation on real series."""
    other = config.copy_and_resolve_references()
    noisy = condition == CONDITIONS[0]
    other.data.path, other.data.phase = path, options.phase if noisy else "none"
    other.noise.sigma = 1 / 30 if noisy else 0.0
    return other


def psnr(method, config) -> list[float]:
    """PSNR of a method on each series of a data set, undersampled as ``config`` says."""
    measure = metrics.METRICS.build({"name": "psnr"})
    acquisition = build.acquisition(config)
    estimate = lambda s: np.asarray(method(*acquisition.simulate(s)[0]))
    return [measure(estimate(s), s.cine) for s in build.read_data(config).series]


def note(table, name, acceleration, condition, scores) -> None:
    """Keep the mean over series of one seed."""
    column = table.setdefault(name, {}).setdefault(f"R {acceleration:g}, {condition}", [])
    column.append(float(np.mean(scores)))


def write_folds(options) -> list[tuple[Path, Path]]:
    """Split the real series into folds that keep look-alikes together; write (training, test) files."""
    with np.load(options.real) as loaded:
        cines = loaded["dataset"]
    small = scipy.ndimage.zoom(cines.mean(axis=1), (1, 0.25, 0.25), order=1).reshape(len(cines), -1)
    tree = scipy.cluster.hierarchy.linkage(small, "average", metric="correlation")
    cluster = scipy.cluster.hierarchy.fcluster(tree, 0.5, "distance")
    print(
        f"{len(cines)} real series in {cluster.max()} clusters of look-alikes: {cluster.tolist()}"
    )
    order = np.argsort(-np.bincount(cluster)[1:], kind="stable") + 1
    fold_of, sizes = {}, np.zeros(FOLDS, int)
    for c in order:
        fold_of[c] = int(sizes.argmin())
        sizes[fold_of[c]] += np.sum(cluster == c)
    fold = np.array([fold_of[c] for c in cluster])
    files_of = []
    for k in range(FOLDS):
        pair = tuple(options.output / "data" / f"real-{k}-{part}.npz" for part in ("train", "test"))
        for path, chosen in zip(pair, (fold != k, fold == k), strict=True):
            array = cines[chosen]
            files.write_atomic(path, lambda p, a=array: np.savez(p, dataset=a))
        files_of.append(pair)
    return files_of


def learn_folds(table, options, acceleration: float, seed: int, folds) -> None:
    """Train on the real series outside each fold, evaluate on those inside."""
    scores = {condition: [] for condition in CONDITIONS}
    for training, test in folds:
        config = make_config(options, acceleration, seed, training)
        config.data.phase, config.noise.sigma = options.phase, 1 / 30
        config.split.ratios, config.train.num_steps = (9, 1, 0), options.steps // 4
        run = learn(config, options.output / f"{training.stem}-R{acceleration:g}-{seed}")
        for condition in CONDITIONS:
            scores[condition] += psnr(run, on_real(config, options, condition, str(test)))
    for condition in CONDITIONS:
        note(table, "real, look-alikes kept out", acceleration, condition, scores[condition])


def classical(table, acceleration: float, options, phantom_path: Path) -> None:
    """The methods without training; the weight of kt_sparse is tuned on phantoms with the condition's noise."""
    config = make_config(options, acceleration, 0, phantom_path)
    names = ("zero_filled", "temporal_average", "view_sharing")
    for condition in CONDITIONS:
        methods = {name: METHODS.build({"name": name}) for name in names}
        methods["kt_sparse, tuned on phantoms"] = tuned(config, options, condition, phantom_path)
        other = on_real(config, options, condition, options.real)
        for name, method in methods.items():
            note(table, name, acceleration, condition, psnr(method, other))


def tuned(config, options, condition: str, phantom_path: Path):
    """k-t SPARSE with the weight that is best on ten phantoms, as complex or real as the condition."""
    sparse = lambda weight: METHODS.build({"name": "kt_sparse", "weight": weight})
    with np.load(phantom_path) as loaded:
        some = loaded["dataset"][:10]
    other = on_real(config, options, condition, str(phantom_path.with_name("tuning.npz")))
    other.data.phase = "none"
    some = some if condition == CONDITIONS[0] else np.abs(some)
    files.write_atomic(Path(other.data.path), lambda path: np.savez(path, dataset=some))
    quality = {weight: float(np.mean(psnr(sparse(weight), other))) for weight in WEIGHTS}
    print(f"kt_sparse on 10 phantoms, {condition}, PSNR by weight {json.dumps(quality)}")
    return sparse(max(quality, key=quality.get))


def show(table) -> None:
    """Print mean ± SD over seeds."""
    columns = next(iter(table.values())).keys()
    print(f"\n| trained on, or method | {' | '.join(columns)} |\n|---|{'---|' * len(columns)}")
    for name, values in table.items():
        cells = []
        for column in columns:
            numbers = np.array(values.get(column, [np.nan]))
            spread = f" ± {numbers.std(ddof=1):.2f}" if len(numbers) > 1 else ""
            cells.append(f"{numbers.mean():.2f}{spread}")
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
