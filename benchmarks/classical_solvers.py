"""Our solvers beside those of sigpy and BART: the same data, weights and objective, in turn in one run.

    python benchmarks/classical_solvers.py                                  20×192×192, one coil, R = 5
    python benchmarks/classical_solvers.py --num_coils=8 --rounds=1
    python benchmarks/classical_solvers.py --weights                        ours alone: PSNR by weight

Both run some numbers of iterations from the same start; ours also until the default of their residual ("converged"), which the others do not have. Seconds are the
best of the rounds, without compilation; BART's with its files, and sigpy's of total variation with the estimate of its step, about 30 iterations. BART, where its binary is installed, has nothing to hold the mean: "free" is without. "above" is the objective over the lowest of the table, "apart" the distance of images from ours, converged.
"""

import argparse
import shutil
import time

import jax
import numpy as np
from bart_pics import pics

from jdmri import masks, metrics, phantom
from jdmri.classical import METHODS
from jdmri.ops.acquire import acquire

MEAN_WEIGHT = 0.01
WEIGHTS = {
    "kt_sparse": [dict(weight=w) for w in (1e-3, 3e-3, 1e-2, 3e-2, 1e-1)],
    "temporal_tv": [dict(weight=w) for w in (1e-3, 3e-3, 1e-2, 3e-2)],
    "spatiotemporal_tv": [dict(weight=0.01, spatial_weight=w) for w in (3e-4, 1e-3, 3e-3)],
    "wavelet": [dict(weight=w) for w in (1e-3, 1e-2, 1e-1)],
    "low_rank": [dict(weight=w) for w in (1e-3, 3e-3, 1e-2, 3e-2)],
    "l_plus_s": [
        dict(low_rank_weight=low, sparse_weight=sparse)
        for low, sparse in ((1e-3, 3e-3), (3e-3, 1e-2), (1e-2, 3e-2))
    ]
    + [dict(rule="otazo", low_rank_weight=0.01, sparse_weight=0.0025)],
    "llr": [dict(weight=w) for w in (1e-3, 3e-3, 1e-2)],
}


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--num_frames", type=int, default=20)
    parser.add_argument("--matrix", type=int, default=192)
    parser.add_argument("--num_coils", type=int, default=1)
    parser.add_argument("--acceleration", type=float, default=5.0)
    parser.add_argument("--weight", type=float, default=0.005)
    parser.add_argument("--iterations", type=int, nargs="+", default=[30, 100, 300])
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--weights", action="store_true")
    parser.add_argument("--only", nargs="+", default=list(WEIGHTS))
    options = parser.parse_args()
    cine, data = acquisition(options)
    if options.weights:
        by_weight(cine, data, options.only)
        return
    print("| problem | solver | iterations | objective | above | seconds | apart |")
    print("|---|---|---|---|---|---|---|")
    for name in ("kt_sparse", "temporal_tv"):
        compare(name, data, options, Sigpy, MEAN_WEIGHT)
    if shutil.which("bart"):
        compare("temporal_tv", data, options, Bart, 0.0)


def acquisition(options):
    """A phantom with noise of 2 % of bright tissue: the cine, and k-space, maps and mask."""
    keys = jax.random.split(jax.random.key(0), 3)
    size = (options.matrix, options.matrix)
    scan = phantom.simulate(
        keys[0], num_frames=options.num_frames, matrix=size, num_coils=options.num_coils
    )
    lines = max(3, options.matrix * 11 // 192)
    sampler = masks.variable_density(acceleration=options.acceleration, num_center_lines=lines)
    mask = sampler(keys[1], scan.cine.shape)
    sigma = 0.02 * float(np.percentile(np.abs(scan.cine), 99))
    kspace = acquire(keys[2], scan.cine, scan.maps, mask, sigma)
    return np.asarray(scan.cine), (kspace, scan.maps, mask)


def by_weight(cine, data, names):
    """Print the PSNR, iterations, residual and seconds of each method and weight."""
    psnr = metrics.METRICS.build({"name": "psnr"})
    start = METHODS.build({"name": "view_sharing"})(*data)
    print(f"view sharing: {psnr(np.asarray(start), cine):.2f} dB")
    print(
        "| method | weights | PSNR (dB) | iterations | residual | seconds |\n|---|---|---|---|---|---|"
    )
    for name in names:
        for weights in WEIGHTS[name]:
            method = METHODS.build({"name": name, **weights})
            jax.block_until_ready(method.solve(*data))
            found, seconds = timed(lambda method=method: jax.block_until_ready(method.solve(*data)))
            score = psnr(np.asarray(found.cine), cine)
            shown = ", ".join(f"{k} {v}" for k, v in weights.items())
            print(f"| {name} | {shown} | {score:.2f} | {found.iterations} | {found.residual:.1e} | {seconds:.1f} |", flush=True)  # fmt: skip


def compare(name, data, options, peer, mean_weight):
    """Print our rows and those of a peer."""
    theirs = peer(name, data, options.weight, mean_weight)
    weights = dict(weight=options.weight, mean_weight=mean_weight)
    runs = {"ours": ours_of(name, data, **weights)}
    for n in options.iterations:
        limit = dict(tolerance=1e-9, max_iterations=n)
        runs[f"ours {n}"] = ours_of(name, data, **weights, **limit)
        runs[f"{type(theirs).__name__} {n}"] = lambda n=n: theirs.run(n)
    results = {label: [] for label in runs}
    for _ in range(options.rounds):
        for label, run in runs.items():
            results[label].append(timed(run))
    images = {label: found[0][0] for label, found in results.items()}
    converged = f"{images['ours'].iterations}, converged"
    images = {k: np.asarray(getattr(image, "cine", image)) for k, image in images.items()}
    ours = images["ours"]
    costs = {label: theirs.objective(image) for label, image in images.items()}
    lowest = min(costs.values())
    problem = name if mean_weight else f"{name}, free"
    for label, found in results.items():
        count = converged if label == "ours" else label.split()[-1]
        seconds = min(seconds for _, seconds in found)
        apart = np.linalg.norm(images[label] - ours) / np.linalg.norm(ours)
        print(f"| {problem} | {label.split()[0]} | {count} | {costs[label]:.5g} | {costs[label] / lowest - 1:.2%} | {seconds:.1f} | {apart:.1e} |", flush=True)  # fmt: skip


def ours_of(name, data, **settings):
    """Return a function that solves, compiled."""
    method = METHODS.build({"name": name, **settings})
    run = lambda: jax.block_until_ready(method.solve(*data))
    run()
    return run


class Sigpy:
    """The same problem for `sigpy.app.LinearLeastSquares`: FISTA for kt_sparse, primal–dual for temporal_tv."""

    def __init__(self, name, data, weight, mean_weight):
        """Build E and the penalty."""
        import sigpy
        import sigpy.mri

        self._sigpy = sigpy
        kspace, maps, mask = (np.asarray(a) for a in data)
        frames, coils, *size = kspace.shape
        shape = (frames, *size)
        start = METHODS.build({"name": "temporal_average"})(*data)
        self._start = np.asarray(start)
        coil_images = (frames, coils, *size)
        spread = sigpy.linop.Multiply((frames, 1, *size), maps[None])
        transform = sigpy.linop.FFT(coil_images, axes=(-2, -1))
        keep = np.broadcast_to(mask[:, None], coil_images).astype(np.complex64)
        reshape = sigpy.linop.Reshape((frames, 1, *size), shape)
        encoding = sigpy.linop.Multiply(coil_images, keep) * transform * spread * reshape
        # The mean is held near that of the start: more rows of the operator, and of the data.
        root = np.sqrt(mean_weight / frames)
        mean = root * sigpy.linop.Sum(shape, axes=(0,))
        self._encoding = sigpy.linop.Vstack([encoding, mean])
        self._data = np.concatenate([kspace.ravel(), root * self._start.sum(0).ravel()])
        scale = weight * np.abs(self._start).max()
        if name == "kt_sparse":
            self._penalty = sigpy.linop.FFT(shape, axes=(0,), center=False)
            weights = scale * (np.arange(frames) > 0)
            self._weights = np.broadcast_to(weights.reshape(-1, 1, 1), shape).astype(np.float32)
            prox = sigpy.prox.L1Reg(shape, self._weights)
            self._options = {"proxg": sigpy.prox.UnitaryTransform(prox, self._penalty)}
            self._options["alpha"] = 1 / (1 + mean_weight)
        else:
            self._penalty = sigpy.linop.FiniteDifference(shape, axes=(0,))
            self._weights = np.float32(scale)
            prox = sigpy.prox.L1Reg(self._penalty.oshape, scale)
            self._options = {"proxg": prox, "G": self._penalty}

    def run(self, num_iterations):
        """Return the image after some iterations; sigpy's steps of the primal–dual are its defaults."""
        app = self._sigpy.app.LinearLeastSquares(
            self._encoding, self._data, x=self._start.copy(), max_iter=num_iterations,
            show_pbar=False, **self._options,
        )  # fmt: skip
        return app.run()

    def objective(self, image):
        """½‖E x − y‖² + μ/2 ‖F_0 (x − x̄)‖² + Σ |weights · G x| in double precision."""
        image = image.astype(np.complex128)
        misfit = np.sum(np.abs(self._encoding * image - self._data) ** 2) / 2
        return misfit + np.sum(self._weights * np.abs(self._penalty * image))


class Bart(Sigpy):
    """Total variation by BART's ADMM."""

    def __init__(self, name, data, weight, mean_weight):
        """Take the penalty."""
        super().__init__(name, data, weight, mean_weight)
        self._all, self._penalty_flag = data, f"T:1024:0:{self._weights}"

    def run(self, num_iterations):
        """Return the image after some iterations."""
        options = dict(iterations=num_iterations, start=self._start)
        return pics(*self._all, self._penalty_flag, **options)


def timed(run):
    """What ``run`` returns, and its seconds."""
    start = time.perf_counter()
    result = run()
    return result, time.perf_counter() - start


if __name__ == "__main__":
    main()
