"""Our solvers beside those of sigpy, deepinv and BART: the same data, weights and objective, in turn in one run.

    python -m benchmarks.quality.solvers                                  20×192×192, one coil, R = 5
    python -m benchmarks.quality.solvers --num_coils=8 --rounds=1
    python -m benchmarks.quality.solvers --weights                        ours alone: PSNR by weight

Both run some numbers of iterations from the same start; ours also until the default of their residual ("converged"), which the others do not have. Seconds are the
best of the rounds, without compilation; BART's with its files, and sigpy's of total variation with the estimate of its step, about 30 iterations. deepinv (with one coil) and BART, where they are installed, have nothing to hold the mean: "free" is without. "above" is the objective over the lowest of the table, "apart" the distance of images from ours, converged.
"""

import argparse
import time
from functools import partial

import jax
import numpy as np

from benchmarks.peers import (
    bart,
    deepinv,
    sigpy,
    sigpy_low_rank,
    sigpy_wavelet,
)
from jdmri import masks, metrics, phantom
from jdmri.classical import METHODS
from jdmri.ops import sense

MEAN_WEIGHT = 0.01
PEERS = (
    sigpy.SigpySparse,
    sigpy.SigpyVariation,
    sigpy.SigpySpatiotemporal,
    sigpy_wavelet.SigpyWavelet,
    sigpy_low_rank.SigpyLowRank,
    sigpy_low_rank.SigpyLowRankSparse,
    deepinv.DeepinvSparse,  # one coil
    bart.BartVariation,
    bart.BartLowRank,
)
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
    for peer in chosen(options):
        compare(problem_of(peer, data, options.weight), data, options)


def chosen(options) -> list:
    """The peers that are installed, for methods that were asked for."""
    able = [p for p in PEERS if p.library != "deepinv" or options.num_coils == 1]
    return [peer for peer in able if peer.method in options.only and peer.installed()]


def problem_of(peer, data, weight: float):
    """The peer's problem, the mean of the frames held where it can be."""
    return peer(data, weight, MEAN_WEIGHT) if peer.takes_mean_weight else peer(data, weight)


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
    kspace = sense.acquire(keys[2], scan.cine, scan.maps, mask, sigma)
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
            score = psnr(np.asarray(found.value), cine)
            shown = ", ".join(f"{k} {v}" for k, v in weights.items())
            print(f"| {name} | {shown} | {score:.2f} | {found.iterations} | {found.residual:.1e} | {seconds:.1f} |", flush=True)  # fmt: skip


def compare(peer, data, options):
    """Print our rows and those of a peer."""
    results = run_in_turn(peer, data, options)
    images = {label: peer.image(found) for label, (found, _) in results.items()}
    costs = {label: peer.cost(found) for label, (found, _) in results.items()}
    lowest, ours = min(costs.values()), images["ours"]
    free = peer.settings.get("mean_weight") == 0
    problem = f"{peer.method}, free" if free else peer.method
    for label, (result, seconds) in results.items():
        solver, *count = label.split()
        count = count[0] if count else f"{result.iterations}, converged"
        apart = np.linalg.norm(images[label] - ours) / np.linalg.norm(ours)
        print(f"| {problem} | {solver} | {count} | {costs[label]:.5g} | {costs[label] / lowest - 1:.2%} | {seconds:.1f} | {apart:.1e} |", flush=True)  # fmt: skip


def run_in_turn(peer, data, options) -> dict:
    """Return the last result and the least seconds of each solver and number of iterations."""
    runs = {"ours": ours_of(peer.method, data, **peer.settings)}
    for n in options.iterations:
        limit = dict(tolerance=1e-9, max_iterations=n)
        runs[f"ours {n}"] = ours_of(peer.method, data, **peer.settings, **limit)
        runs[f"{peer.library} {n}"] = partial(peer.run, n)
    results = {}
    for _ in range(options.rounds):
        for label, run in runs.items():
            result, seconds = timed(run)
            results[label] = result, min(seconds, results.get(label, (None, seconds))[1])
    return results


def ours_of(name, data, **settings):
    """Return a function that solves, compiled."""
    method = METHODS.build({"name": name, **settings})
    run = lambda: jax.block_until_ready(method.solve(*data))
    run()
    return run


def timed(run):
    """What ``run`` returns, and its seconds."""
    start = time.perf_counter()
    result = run()
    return result, time.perf_counter() - start


if __name__ == "__main__":
    main()
