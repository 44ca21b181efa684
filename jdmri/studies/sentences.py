"""What a study says in sentences: its protocol, and what its pairs show."""

from collections.abc import Sequence

from jdmri.statistics.many_methods import Comparison, significantly_best
from jdmri.studies.collect import Scores

_MOST_LISTED = 6  # pairs in a sentence


def protocol_sentence(scores: Scores, num_seeds: int) -> str:
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
        f"{num_seeds} training seed(s); checkpoint by validation PSNR."
    )


def finding(comparison: Comparison | None, names: Sequence[str], metric: str) -> str:
    """Say in a few sentences what the pairs show, and no more: the shorter of won and undecided pairs is listed."""
    if comparison is None:
        return "One variant only: nothing to compare."
    if comparison.refused:
        return comparison.refused
    total, won = len(comparison.pairs), len(comparison.significant)
    if not won:
        return f"No pair differs significantly in {metric} (Wilcoxon, Holm over {total} pairs)."
    best = significantly_best(comparison)
    said = [f"{names[best]} is better than every other."] if best is not None else []
    said.append(f"In {metric}, {won} of {total} pairs differ significantly (Wilcoxon, Holm)")
    over = [f"{names[better]} over {names[worse]}" for better, worse in comparison.significant]
    decided = {frozenset(pair) for pair in comparison.significant}
    undecided = [
        f"{names[p.first]} and {names[p.second]}"
        for p in comparison.pairs
        if frozenset((p.first, p.second)) not in decided
    ]
    if won <= len(undecided) or not undecided:
        said[-1] += (
            f": {'; '.join(over)}." if won <= _MOST_LISTED else "; the table of pairs says which."
        )
    elif len(undecided) <= _MOST_LISTED:
        said[-1] += f"; not told apart are {'; '.join(undecided)}."
    else:
        said[-1] += "; the table of pairs says which."
    order = sorted(range(len(names)), key=lambda i: comparison.mean_ranks[i])
    said.append(f"By mean rank: {', '.join(f'{names[i]} ({comparison.mean_ranks[i]:.2f})' for i in order)}.")  # fmt: skip
    said.append("The tests are over subjects; the spread over training seeds stands in brackets and is not part of them.")  # fmt: skip
    return " ".join(said)
