"""What readers score, from 1 to 5.

Ghodrati et al. 2019 (S3) give theirs in a table that is a picture, which the text at hand lacks. These four
and the words of the scale are ours, not theirs; scores are not comparable with those of S3.
"""

from typing import NamedTuple


class Criterion(NamedTuple):
    """One quality.

    Attributes:
        name: the column in the answers.
        title: two words in the form.
        meaning: what the reader judges.
    """

    name: str
    title: str
    meaning: str


CRITERIA = (
    Criterion("overall", "Overall", "overall image quality"),
    Criterion("border", "Endocardial border", "sharpness of the endocardial border"),
    Criterion("artefacts", "Artefacts", "residual aliasing, streaks, flicker or noise: 5 is free of them"),
    Criterion("motion", "Wall motion", "temporal fidelity of wall motion: neither smoothed nor jerky"),
)  # fmt: skip
SCALE = ("non-diagnostic", "poor", "adequate", "good", "excellent")
COLUMNS = ("study", "reader", "case", "repeat", "letter", "rank", *(c.name for c in CRITERIA), "comment", "seconds")  # fmt: skip
