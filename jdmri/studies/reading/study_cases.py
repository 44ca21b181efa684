"""The cases of a reader study, from a finished comparison study."""

from pathlib import Path

import numpy as np
from tqdm import tqdm

from jdmri.errors import InputError
from jdmri.studies.reading.case import Case
from jdmri.studies.runs import plan
from jdmri.studies.showcase import find, reconstructions
from jdmri.training import build
from jdmri.training.workdir import Config


def study_cases(config: Config, folder: Path, count: int) -> list[Case]:
    """Reconstruct test series, one a subject, by the first seed's network of every finished variant.

    Args:
        config: of the study.
        folder: of the study.
        count: how many cases; drawn from the test subjects with the study's first seed.

    Raises:
        InputError: fewer than two variants are finished, or there are fewer subjects than cases.
    """
    study = plan(config)
    runs = [r for r in study.runs if r.seed == study.seeds[0] and r.is_finished(folder)]
    variants = list(dict.fromkeys(r.variant for r in runs))
    if len(variants) < 2:
        raise InputError(
            f"a reading compares two variants or more; {folder} has {len(variants)} finished; run --mode=study first."
        )
    chosen = _draw(runs[0].config, count)
    cases = []
    for one in tqdm(chosen, desc="reader", unit="case", disable=None):
        tested = {r.variant: (r, one) for r in runs if find(r, one.name) is not None}
        reference, _, estimates = reconstructions(tested, folder)
        candidates = {variant: estimates[variant] for variant in variants}
        cases.append(Case(one.name, one.subject, reference.cine, candidates))
    return cases


def _draw(config: Config, count: int):
    """One series of each of ``count`` test subjects."""
    tested = build.split_data(build.read_data(config), config)["test"]
    first = {one.subject: one for one in reversed(tested)}
    if not 1 <= count <= len(first):
        raise InputError(
            f"--num_series is {count}, but {len(first)} subjects were tested; choose 1 to {len(first)}."
        )
    drawn = np.random.default_rng(config.seed).choice(sorted(first), count, replace=False)
    return [first[subject] for subject in sorted(drawn)]
