"""The network of the package beside what it has to beat: adaptive total variation, and total variation tuned and converged.

    python -m benchmarks.quality.flagship --output=runs/flagship
    python -m benchmarks.quality.flagship --output=runs/flagship --real=cine.npz --phase=complex_images.npz

Test phantoms of the demo at R 5, 8, 12, noise 0.02; with --real also measured series with a measured phase, noise of SNR 30, at R 4,
8, 12. Variable density, 5 centre lines, one coil. Gains are paired, by series: mean ± standard error, the smallest, and
how many are above zero. The parameters of tuned total variation are from validation phantoms. flagship.json has every series; interrupted,
the same command goes on.
"""

import argparse
from pathlib import Path

import numpy as np
from tqdm import tqdm

from benchmarks.quality import classical
from jdmri.classical import METHODS
from jdmri.evaluation.methods import lookup
from jdmri.evaluation.protocol import Protocol
from jdmri.models import pretrained
from jdmri.runtime import files

METHODS_SHOWN = ("view_sharing", "spatiotemporal_tv", "adaptive_tv", "flagship")
COLUMNS = {"phantoms": (5.0, 8.0, 12.0), "hearts": (4.0, 8.0, 12.0)}
TABLE = Path(__file__).parents[1] / "tuned.json"


def main():
    """Measure each column, write the rows, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--table", type=Path, default=TABLE, help="of --mode=tune")
    parser.add_argument("--real", help="npz of magnitude cines")
    parser.add_argument("--phase", help="npz of complex images, for their phase")
    parser.add_argument("--series", type=int, default=0, help="the first ones; 0: all")
    options = parser.parse_args()
    options.variant, options.magnitude = "", False
    path = options.output / "flagship.json"
    rows = files.read_json(path)["rows"] if path.is_file() else {}
    for column in [f"{kind}, R {R:g}" for kind in kinds(options) for R in COLUMNS[kind]]:
        measure(column, options, rows.setdefault(column, {}), lambda: write(path, rows))
    write(path, rows)
    path.with_suffix(".md").write_text(tables(rows))
    print(tables(rows))


def kinds(options) -> list[str]:
    """Return the kinds of data that are at hand."""
    return ["phantoms", "hearts"] if options.real else ["phantoms"]


def measure(column: str, options, rows: dict, save) -> None:
    """Reconstruct and score what ``rows`` lacks of one column: method → one entry a series."""
    kind, acceleration = column.split(", R ")
    own = argparse.Namespace(**vars(options) | ({"real": None} if kind == "phantoms" else {}))
    tuned, config = classical.configs_of(own, float(acceleration), per_frame=True)
    acquired = classical.acquire(own, config)
    for name in METHODS_SHOWN:
        method = METHODS.build({"name": name, **lookup(Protocol.of(tuned), name, 1)}, cyclic=True)
        done = rows.setdefault(name, [])
        for one in tqdm(acquired[len(done) :], desc=f"{column}, {name}", disable=None):
            done.append(classical.score(method, *one))
            save()


def write(path: Path, rows: dict) -> None:
    """Write every series, and which weights these are of."""
    path.parent.mkdir(parents=True, exist_ok=True)
    weights = {key: pretrained.card()[key] for key in ("name", "sha256")}
    files.write_json(path, {"weights": weights, "rows": rows})


def tables(rows: dict) -> str:
    """Return the tables of scores and of paired gains, as Markdown."""
    counts = ", ".join(f"{column}: {len(by['flagship'])}" for column, by in rows.items())
    lines = [f"Series: {counts}. PSNR (heart region), dB; SSIM (heart region).", ""]
    lines += header(["method", *rows])
    for name in METHODS_SHOWN:
        lines.append(row(name, [score(by[name]) for by in rows.values()]))
    lines += ["", *header(["gain of the flagship over", *rows])]
    for name in METHODS_SHOWN[:-1]:
        for key, region in (("psnr", "image"), ("psnr_heart", "heart")):
            cells = [gain(by["flagship"], by[name], key) for by in rows.values()]
            lines.append(row(f"{name}, {region}", cells))
    return "\n".join(lines) + "\n"


def header(names: list[str]) -> list[str]:
    """Return the first two lines of a table."""
    return [row(names[0], names[1:]), "|---" * len(names) + "|"]


def row(name: str, cells: list[str]) -> str:
    """Return one line of a table."""
    return f"| {' | '.join([name, *cells])} |"


def score(series: list[dict]) -> str:
    """Return means over series."""
    mean = lambda key: np.mean([one[key] for one in series])
    psnr, ssim = f"{mean('psnr'):.2f} ({mean('psnr_heart'):.2f})", mean("ssim_heart")
    return f"{psnr}; {mean('ssim'):.3f} ({ssim:.3f})"


def gain(ours: list[dict], theirs: list[dict], key: str) -> str:
    """Return the mean gain, its standard error, the worst series, and how many gain."""
    gains = np.array([a[key] - b[key] for a, b in zip(ours, theirs, strict=True)])
    error = np.std(gains, ddof=1) / np.sqrt(len(gains)) if len(gains) > 1 else np.nan
    wins = f"{np.sum(gains > 0)} of {len(gains)}"
    return f"{gains.mean():+.2f} ± {error:.2f}, worst {gains.min():+.2f}, {wins}"


if __name__ == "__main__":
    main()
