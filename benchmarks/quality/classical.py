"""What a network has to beat: the methods without training, tuned by three policies, on phantoms or real series.

    python -m jdmri.main --mode=tune --config=configs/classical.py
    python -m benchmarks.quality.classical --table=runs/classical/tuned.json --output=runs/classical/phantom
    python -m benchmarks.quality.classical --table=runs/classical/tuned.json --output=runs/classical/real --real=cine.npz --phase=complex_images.npz

Each method runs with its tuned parameters times ``FACTORS``. Seconds are medians. "Phantoms": factor 1, as tuned on validation phantoms. "Development": the best factor on
the other half of the series. "Oracle": the best one of each series, which nobody can know. Real series: with a measured smooth phase and noise of SNR 30,
and as they are (``--magnitude``). Interrupted, the same command goes on, with other methods or more series, too.
"""

import argparse
import itertools
import time
from pathlib import Path

import numpy as np
from tqdm import tqdm

from configs import classical
from jdmri import masks, metrics
from jdmri.classical import METHODS, reconstruct
from jdmri.evaluation.methods import lookup
from jdmri.evaluation.protocol import Protocol
from jdmri.runtime import files
from jdmri.training import build

FACTORS = (0.5, 1.0, 2.0)
FILLINGS = ("zero_filled", "temporal_average", "view_sharing")
METRICS = ("psnr", "ssim", "nmse", "ssim_xt")
COLUMNS = (
    "R (true)", "masks", "method", "PSNR phantoms", "development", "oracle", "heart PSNR", "SSIM, heart", "NMSE, heart", "SSIM-xt, heart", "iterations", "residual", "s",
)  # fmt: skip


def main():
    """Measure every method on every series, then print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--table", type=Path, required=True, help="of --mode=tune")
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--variant", default="", help="of configs/classical.py: coils")
    parser.add_argument("--real", help="npz of magnitude cines; default: the test phantoms")
    parser.add_argument("--phase", help="npz of complex images, for their phase")
    parser.add_argument(
        "--magnitude", action="store_true", help="real series without phase and noise"
    )
    parser.add_argument("--accelerations", type=float, nargs="+", default=[4.0, 5.0, 8.0, 12.0])
    parser.add_argument("--masks", nargs="+", default=["per-frame", "shared"])
    parser.add_argument("--only", nargs="+", help="methods; default: all of the table")
    parser.add_argument("--as_tuned", action="store_true", help="without the other factors")
    parser.add_argument("--series", type=int, default=0, help="the first ones; 0: all")
    options = parser.parse_args()
    kinds = itertools.product(options.masks, options.accelerations)
    show([measure(options, acceleration, kind) for kind, acceleration in kinds])


def measure(options, acceleration: float, kind: str) -> dict:
    """Return rows by method and factor; what the file has from the same data is not measured again."""
    path = options.output / f"R{acceleration:g}-{kind}.json"
    tuned, config = configs_of(options, acceleration, kind == "per-frame")
    acquired = acquire(options, config)
    drawn = [masks.describe(data.mask)["acceleration"] for data, _ in acquired]
    about = {"R": acceleration, "mask": kind, "true R": float(np.mean(drawn)), "n": len(drawn)}
    asked = {key: getattr(options, key) for key in ("real", "phase", "magnitude", "variant")}
    known = files.read_json(path) if path.is_file() else {}
    known = known if known.get("asked") == asked else {"parameters": {}, "rows": {}}
    used, rows = known["parameters"], known["rows"]
    methods = methods_of(options, tuned, acquired[0][0].kspace.shape[1])
    for key, parameters, method in tqdm(list(methods), desc=path.stem):
        mine = rows[key] = rows.get(key, []) if used.get(key) == parameters else []
        used[key] = parameters
        for one in acquired[len(mine) :]:
            mine.append(score(method, *one))
            files.write_json(path, known | {"about": about, "asked": asked})
    return {"about": about, "rows": rows}


def acquire(options, config) -> list:
    """Simulate the series' acquisition: the real ones, or the test phantoms."""
    data = build.read_data(config)
    series = data.series if options.real else build.split_data(data, config)["test"]
    acquisition = build.acquisition(config)
    return [acquisition.simulate(one) for one in series[: options.series or None]]


def configs_of(options, acceleration: float, per_frame: bool):
    """The config that the parameters were tuned with, and that of the series."""
    tuned = classical.get_config(options.variant).base
    tuned.mask.update(acceleration=acceleration, per_frame=per_frame)
    tuned.tuned = str(options.table)
    config = tuned.copy_and_resolve_references()
    if options.real:
        phase = "none" if options.magnitude else options.phase
        config.data.update(name="npz", path=options.real, phase=phase)
        config.noise.sigma = 0.0 if options.magnitude else 1 / 30
    return tuned, config


def methods_of(options, tuned, num_coils: int):
    """Yield key, parameters and method; those of the table's grid with each factor."""
    for name in FILLINGS:
        yield f"{name} 1", {}, METHODS.build({"name": name}, cyclic=True)
    factors = (1.0,) if options.as_tuned else FACTORS
    tabled = dict.fromkeys(e["method"] for e in files.read_json(options.table)["entries"])
    for name in options.only or tabled:
        parameters = lookup(Protocol.of(tuned), name, num_coils)
        for factor in factors if parameters else ():
            scaled = {k: factor * v for k, v in parameters.items()}
            yield f"{name} {factor:g}", scaled, METHODS.build({"name": name, **scaled}, cyclic=True)


def score(method, acquired, reference) -> dict:
    """Metrics over image and heart, iterations, residual, and seconds (of the first series: with compilation)."""
    start = time.perf_counter()
    solution = reconstruct(method, acquired)
    cine = np.asarray(solution.value)
    seconds = time.perf_counter() - start
    region = metrics.heart_region(reference.cine)
    scores = metrics.evaluate(cine, reference.cine, METRICS, region)
    ended = {k: v for k, v in solution._asdict().items() if k != "value"}
    stopped = {} if np.isnan(solution.iterations) else ended
    return scores | stopped | {"seconds": seconds}


def show(tables: list[dict]) -> None:
    """Print PSNR by method and R, then everything that was measured on all series."""
    for table in tables:
        n = table["about"]["n"]
        table["rows"] = {k: v[:n] for k, v in table["rows"].items() if len(v) >= n}
    names = list(dict.fromkeys(key.split()[0] for table in tables for key in table["rows"]))
    heads = [f"R {t['about']['R']:g}, {t['about']['mask']}" for t in tables]
    about = tables[0]["about"]
    print(f"\nn {about['n']}; PSNR over the image, over the heart (dB)\n")
    print("| method | " + " | ".join(heads) + " |")
    print("|---" * (len(heads) + 1) + "|")
    for name in names:
        cells = [brief(t["rows"].get(f"{name} 1")) for t in tables]
        print(f"| {name} | " + " | ".join(cells) + " |")
    print("\n| " + " | ".join(COLUMNS) + " |\n" + "|---" * len(COLUMNS) + "|")
    for table in tables:
        for name in names:
            if f"{name} 1" in table["rows"]:
                print(line(name, table), flush=True)


def brief(rows: list[dict] | None) -> str:
    """PSNR over image and heart."""
    if rows is None:
        return "–"
    return ", ".join(f"{np.mean([one[key] for one in rows]):.2f}" for key in ("psnr", "psnr_heart"))


def line(name: str, table: dict) -> str:
    """One method: the three policies, and everything else as tuned on phantoms."""
    rows, about = table["rows"], table["about"]
    factors = [f for f in FACTORS if f"{name} {f:g}" in rows]
    psnr = np.array([[one["psnr"] for one in rows[f"{name} {f:g}"]] for f in factors])
    ours = rows[f"{name} 1"]
    mean = lambda key: np.mean([one[key] for one in ours])
    policies = [f"{development(psnr):.2f}", f"{psnr.max(axis=0).mean():.2f}"]
    spread = np.std([one["psnr"] for one in ours], ddof=1) if len(ours) > 1 else 0.0
    cells = [f"{about['R']:g} ({about['true R']:.2f})", about["mask"], name]
    cells += [f"{mean('psnr'):.2f} ± {spread:.2f}", *(policies if len(factors) > 1 else ("–", "–"))]
    cells += [f"{mean('psnr_heart'):.2f}"]
    for key, digits in (("ssim", 3), ("nmse", 4), ("ssim_xt", 3)):
        cells += [f"{mean(key):.{digits}f}, {mean(key + '_heart'):.{digits}f}"]
    if "iterations" in ours[0]:
        cells += [f"{mean('iterations'):.0f}", f"{max(one['residual'] for one in ours):.1e}"]
        missed = sum(not one["converged"] for one in ours)
        cells[-1] += f" ({missed} not converged)" if missed else ""
    else:
        cells += ["–", "–"]
    seconds = np.median([one["seconds"] for one in ours])
    return f"| {' | '.join(cells)} | {seconds:.2g} |"


def development(psnr: np.ndarray) -> float:
    """Choose the factor of each half of the series on the other half."""
    half = np.arange(psnr.shape[1]) % 2
    chosen = [psnr[psnr[:, half != h].mean(axis=1).argmax(), half == h] for h in (0, 1)]
    return float(np.concatenate(chosen).mean())


if __name__ == "__main__":
    main()
