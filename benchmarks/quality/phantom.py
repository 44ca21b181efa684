"""The phantom's population beside published values, and its spectra beside those of real series.

python -m benchmarks.quality.phantom
python -m benchmarks.quality.phantom --real=cine.npz        also the statistics of a real data set
"""

import argparse
import itertools

import jax
import jax.numpy as jnp
import numpy as np
from tqdm import tqdm

from jdmri import phantom
from jdmri.phantom import motion
from jdmri.phantom.population import draw_subject

NUM_SUBJECTS = 200
NUM_SERIES = 16
PUBLISHED = {  # quantity: mean ± SD, source
    "wall, end-diastole, men (mm)": (6.3, 1.1, "MESA SSFP mid-cavity, PMID 22705587"),
    "wall, end-diastole, women (mm)": (5.3, 0.9, "MESA SSFP mid-cavity, PMID 22705587"),
    "wall thickening (mm)": (4.4, 1.4, "mid level, JCMR 11 S1 P61"),
    "mid-wall circumferential strain (%)": (-17.6, 1.8, "PMC8128822"),
    "ejection fraction (%)": (71.0, 6.0, "Framingham, computer-aided, PMC3961548; ours is by design lower"),
    "cavity diameter, end-diastole (mm)": (None, None, "design"),
}  # fmt: skip


def main():
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--real", nargs="*", default=[], help="npz files [series, frame, x, y]")
    options = parser.parse_args()
    print(f"{NUM_SUBJECTS} mid-ventricular subjects without disease; mean ± SD\n")
    print("| quantity | phantom | published | source |\n|---|---|---|---|")
    for name, values in population().items():
        mean, deviation, source = PUBLISHED[name]
        known = "–" if mean is None else f"{mean} ± {deviation}"
        print(f"| {name} | {values.mean():.1f} ± {values.std(ddof=1):.1f} | {known} | {source} |")
    sets = {f"phantom, {NUM_SERIES} series": synthetic()}
    for path in options.real:
        with np.load(path) as loaded:
            sets[path.split("/")[-1]] = np.abs(loaded["dataset"])
    rows = {name: [statistics(cine) for cine in cines] for name, cines in sets.items()}
    print("\nMagnitude series, median over series [minimum, maximum]\n")
    print(f"| statistic | {' | '.join(rows)} |\n|---|{'---|' * len(rows)}")
    for statistic in next(iter(rows.values()))[0]:
        cells = [np.array([r[statistic] for r in measured]) for measured in rows.values()]
        text = [f"{np.median(c):.3g} [{c.min():.3g}, {c.max():.3g}]" for c in cells]
        print(f"| {statistic} | {' | '.join(text)} |")


def population() -> dict[str, np.ndarray]:
    """Measure walls, thickening, strain and ejection of healthy mid-ventricular subjects."""
    keys = jax.random.split(jax.random.key(0), 8 * NUM_SUBJECTS)
    subjects = jax.jit(jax.vmap(draw_subject))(keys)
    chosen = ~subjects.diseased & (jnp.abs(subjects.level - 0.45) < 0.15)
    index = np.flatnonzero(chosen)[:NUM_SUBJECTS]
    subjects = jax.tree.map(lambda a: a[index], subjects)
    at = lambda s, phase: motion.contour(s, motion.Moment(phase, jnp.ones(()), jnp.zeros(())))
    rest = jax.vmap(motion.contour)(subjects)
    systole = jax.vmap(at)(subjects, subjects.systole)
    thickness = lambda c: np.mean(c.wall - c.cavity, axis=1)
    middle = lambda c: np.mean((c.wall + c.cavity) / 2, axis=1)
    wall = thickness(rest)
    return {
        "wall, end-diastole, men (mm)": wall[subjects.male],
        "wall, end-diastole, women (mm)": wall[~subjects.male],
        "wall thickening (mm)": thickness(systole) - wall,
        "mid-wall circumferential strain (%)": 100 * (middle(systole) / middle(rest) - 1),
        "ejection fraction (%)": 100 * np.asarray(subjects.ejection),
        "cavity diameter, end-diastole (mm)": 2 * np.mean(rest.cavity, axis=1),
    }


def synthetic() -> list[np.ndarray]:
    """Draw series with noise of SNR 50, magnitude."""
    draw = lambda i: phantom.simulate(jax.random.key(100 + i), snr=50.0)
    scans = (draw(i) for i in tqdm(range(NUM_SERIES), desc="phantom"))
    inverse = jax.jit(lambda k: jnp.abs(jnp.fft.fftshift(jnp.fft.ifft2(k, norm="ortho"), (-2, -1))))
    return [np.asarray(inverse(scan.kspace[:, 0])) for scan in scans]


def statistics(cine: np.ndarray) -> dict[str, float]:
    """Describe one magnitude series."""
    cine = cine / np.percentile(cine, 99.5)
    frames = len(cine)
    spectrum = np.abs(np.fft.fft(cine, axis=0)) ** 2
    moving = spectrum[1:].sum()
    harmonic = [2 * spectrum[k].sum() / moving for k in (1, 2, 3)]
    centred = (cine - cine.mean(axis=0)).reshape(frames, -1)
    values = np.linalg.svd(centred @ centred.T, compute_uv=False)
    energy = np.cumsum(values) / values.sum()
    return {
        "PSD slope, 0.02–0.12 cycles/pixel": slope(cine, 0.02, 0.12),
        "PSD slope, 0.12–0.35 cycles/pixel": slope(cine, 0.12, 0.35),
        "median (of the 99.5th percentile)": float(np.median(cine)),
        "share of pixels below 0.05": float((cine < 0.05).mean()),
        "share of pixels below 0.2": float((cine < 0.2).mean()),
        "temporal energy (moving / all)": float(moving / spectrum.sum()),
        "1st harmonic's share": float(harmonic[0]),
        "2nd harmonic's share": float(harmonic[1]),
        "3rd harmonic's share": float(harmonic[2]),
        "components for 90 % of the motion": float(np.argmax(energy > 0.9) + 1),
        "components for 95 % of the motion": float(np.argmax(energy > 0.95) + 1),
        "pixels with temporal SD above 0.08": float((cine.std(axis=0) > 0.08).mean()),
    }


def slope(cine: np.ndarray, low: float, high: float) -> float:
    """Exponent of the radial power spectrum between two spatial frequencies."""
    image = cine[0] - cine[0].mean()
    window = np.outer(*(np.hanning(n) for n in image.shape))
    power = np.abs(np.fft.fft2(image * window)) ** 2
    frequency = np.hypot(*np.meshgrid(*(np.fft.fftfreq(n) for n in image.shape), indexing="ij"))
    edges = np.geomspace(low, high, 12)
    bins = [power[(frequency >= a) & (frequency < b)].mean() for a, b in itertools.pairwise(edges)]  # fmt: skip
    return float(np.polyfit(np.log(np.sqrt(edges[:-1] * edges[1:])), np.log(bins), 1)[0])


if __name__ == "__main__":
    main()
