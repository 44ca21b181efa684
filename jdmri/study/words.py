"""What a study says in sentences: its protocol, and what its pairs show."""

from collections.abc import Sequence

from ml_collections import ConfigDict

from jdmri.study.collect import Scores
from jdmri.study.comparison import Comparison, significantly_best


def protocol_sentence(config: ConfigDict, scores: Scores) -> str:
    """Say how the numbers came about; what differs between variants is left to their own protocols."""
    protocols = list(scores.protocols.values())
    about = protocols[0]
    rates = sorted({round(p["true_acceleration"], 2) for p in protocols})
    masks = sorted({p["mask"]["name"] for p in protocols})
    scheme = about["split_scheme"]
    split = f"{scheme['num_folds'] or 'n'}-fold by subject" if scheme["name"] == "kfold" else "one test split by subject"  # fmt: skip
    matrix = about["data_settings"]["matrix"] if about["data"] == "phantom" else ""
    size = f" {'×'.join(map(str, matrix))}" if matrix else ""
    return (
        f"Data: {about['data']}{size}, {len(scores.subjects)} test subjects, {split}; mask: {', '.join(masks)}, "
        f"true R {' to '.join(map(str, dict.fromkeys([rates[0], rates[-1]])))}; noise σ {about['noise_sigma']:g}; "
        f"{len(config.seeds)} training seed(s); checkpoint by validation PSNR."
    )


def finding(comparison: Comparison | None, names: Sequence[str], metric: str) -> str:
    """Say in a sentence what the pairs show, and no more."""
    if comparison is None:
        return "One variant only: nothing to compare."
    if comparison.refused:
        return comparison.refused
    won = [f"{names[better]} over {names[worse]}" for better, worse in comparison.significant]
    total = len(comparison.pairs)
    if not won:
        return f"No pair differs significantly in {metric} (Wilcoxon, Holm over {total} pairs)."
    best = significantly_best(comparison)
    first = f"{names[best]} is better than every other. " if best is not None else ""
    return (
        f"{first}In {metric}, {len(won)} of {total} pairs differ significantly (Wilcoxon, Holm): {'; '.join(won)}. "
        f"The tests are over subjects; the spread of training seeds is in brackets."
    )
