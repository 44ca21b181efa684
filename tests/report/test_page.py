"""The report in one HTML file: what it holds, what it must not hold, and films."""

import base64
import io
import json
import re
import sys
from html.parser import HTMLParser

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image, ImageSequence

from jdmri.errors import InputError
from jdmri.report import page
from jdmri.report.figures import films
from jdmri.report.page import document, sheets

EVIL = "</script><img src=x onerror=alert(1)>\"'&"


def view(rng, *, shape=(6, 20, 24), methods=("zero_filled", "model"), kx=1, **changes):
    frames, height, _ = shape
    reference = rng.uniform(size=shape) + 1j * rng.uniform(size=shape)
    fields = dict(
        name="phantom-0012",
        label="worst 1",
        reference=reference,
        estimates={m: reference + rng.normal(scale=0.1, size=shape) for m in methods},
        captions={m: "34.1 dB" for m in methods},
        mask=rng.uniform(size=(frames, height, kx)) < 0.3,
        residual={m: rng.uniform(size=(frames, height)) for m in methods},
        region=(slice(4, 14), slice(5, 17)),
    )
    return page.View(**fields | changes)


def written(folder, **fields):
    """Write a page; return its text and its data."""
    empty = dict(title="A report", sentences=[], views=[], tables=[], figures={}, card={})
    page.write(folder / "report.html", page.Page(**empty | fields))
    text = (folder / "report.html").read_text()
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
    return text, json.loads(found[1])


def picture(uri):
    kind, content = uri.split(";base64,")
    assert kind == "data:image/webp"
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(content))).convert("L"))


class Elements(HTMLParser):
    """Tags with their attributes, and the text outside of script and style."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.words = [], ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.words += data


def test_pictures_keep_their_values(tmp_path, rng):
    one = view(rng)
    _, data = written(tmp_path, views=[one])
    (series,) = data["series"]
    assert [p["name"] for p in series["panels"]] == ["reference", "zero filled", "model"]
    assert series["region"] == [5, 4, 17, 14] and series["panels"][0]["error"] is None
    peak = np.percentile(np.abs(one.reference), 99.5)

    def levels(index):
        sheet, across = picture(data["sheets"][index]), series["columns"]
        tiles = sheet.reshape(-1, 20, across, 24).transpose(0, 2, 1, 3).reshape(-1, 20, 24)
        return tiles[: series["frames"]] / 255

    image, error = (levels(series["panels"][2][kind]) for kind in ("image", "error"))
    estimate, truth = np.abs(one.estimates["model"]), np.abs(one.reference)
    expected = np.minimum(estimate / peak, data["headroom"])
    np.testing.assert_allclose(data["headroom"] * image, expected, atol=0.003)
    np.testing.assert_allclose(error**2, np.abs(estimate - truth) / peak, atol=0.004)
    mask = picture(series["mask"]["image"]).reshape(-1, 20, series["mask"]["columns"])
    np.testing.assert_array_equal(
        mask.transpose(0, 2, 1).reshape(-1, 20)[:6], 255 * one.mask[..., 0]
    )
    residual = picture(series["residual"][1]["image"]).T / 255
    decibels = 20 * np.log10(one.residual["model"] / max(r.max() for r in one.residual.values()))
    np.testing.assert_allclose(data["floor"] * (1 - residual), decibels.clip(-60), atol=0.2)


@pytest.mark.parametrize("field", ["title", "name", "table", "card", "figure", "note", "sentence"])
def test_texts_cannot_become_html(tmp_path, rng, field):
    fields = {
        "title": dict(title=EVIL),
        "name": dict(views=[view(rng, name=EVIL, label=EVIL, methods=(EVIL,))]),
        "table": dict(tables=[page.Table(EVIL, [EVIL], [[EVIL], [f"**{EVIL}**"]], EVIL)]),
        "card": dict(card={EVIL: {EVIL: [EVIL]}}),
        "figure": dict(figures={EVIL: Figure(figsize=(1, 1))}),
        "note": dict(note=EVIL),
        "sentence": dict(sentences=[EVIL]),
    }[field]
    text, data = written(tmp_path, **fields)
    elements = Elements(text)
    assert not any(
        "onerror" in attributes or attributes.get("src") == "x" for _, attributes in elements.tags
    )
    assert [tag for tag, _ in elements.tags].count("script") == 2
    if field == "name":
        assert data["series"][0]["name"] == EVIL and data["series"][0]["panels"][1]["name"] == EVIL
    else:
        assert EVIL in elements.words


def test_nothing_is_fetched(tmp_path, rng):
    figures = {"loss": Figure(figsize=(2, 2))}
    table = page.Table("t", ["a"], [["1"]])
    text, _ = written(tmp_path, views=[view(rng)], figures=figures, tables=[table], card={"a": 1})
    elements = Elements(text)
    for _, attributes in elements.tags:
        for name in ("src", "href", "action", "srcset", "poster"):
            assert attributes.get(name, "data:").startswith("data:")
    inline = re.sub(r"base64,[A-Za-z0-9+/=]+", "", text).replace("http://www.w3.org/2000/svg", "")
    assert not re.search(r"https?:|//\w+\.|@import|url\(|fetch\(|XMLHttp|WebSocket", inline)
    (policy,) = [a["content"] for _, a in elements.tags if a.get("http-equiv")]
    assert policy.startswith("default-src 'none'; img-src data:;") and "unsafe" not in policy


def test_a_page_of_tables_only(tmp_path):
    rows = [["model", "**34.1 ± 2.0**"], ["zero filled", "21.0"]]
    card = {
        "split": {"by_subject": True, "ratios": [0.5, 0.25]},
        "noise": None,
        "steps": [{"a": 1}],
    }
    text, data = written(tmp_path, tables=[page.Table("PSNR", ["method", "dB"], rows)], card=card)
    assert data["series"] == [] and data["sheets"] == [] and 'id="player"' not in text
    assert "<td><strong>34.1 ± 2.0</strong></td>" in text
    words = Elements(text).words
    assert "by subjectyes" in words and "0.5, 0.25" in words and "noisenot stated" in words
    assert "<section" not in written(tmp_path)[0]


def test_values_that_are_not_finite_look_wrong_not_perfect(tmp_path, rng):
    one = view(rng, captions={})
    one.estimates["model"][0, 0, :3] = [np.nan, np.inf, -np.inf]
    one.estimates["zero_filled"][:] = np.nan
    one.residual["model"][0, 0] = np.nan
    blank = view(rng, reference=np.full((3, 8, 8), np.nan), estimates={}, captions={}, residual={},
                 mask=np.zeros((3, 8, 1), bool), region=(slice(0, 8), slice(2, 5)))  # fmt: skip
    _, data = written(tmp_path, views=[one, blank])
    panels = data["series"][0]["panels"]
    assert [p["caption"] for p in panels] == [
        "",
        "2880 values are not finite",
        "3 values are not finite",
    ]
    image, error = (picture(data["sheets"][panels[2][kind]]) for kind in ("image", "error"))
    assert (image[0, :3] == 0).all() and (error[0, :3] == 255).all()
    assert (picture(data["sheets"][panels[1]["error"]]) == 255).all()
    assert picture(data["series"][0]["residual"][1]["image"])[0, 0] == 255


def test_series_of_different_shapes_share_a_page(tmp_path, rng):
    views = [
        view(rng),
        view(rng, shape=(3, 40, 31), kx=31),
        view(rng, methods=()),
        view(rng, shape=(1, 16, 18)),
    ]
    _, data = written(tmp_path, views=views)
    assert [len(s["panels"]) for s in data["series"]] == [3, 3, 1, 3]
    assert data["series"][1]["mask"]["width"] == 31 and len(data["sheets"]) == 16


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (dict(reference=np.zeros((4, 4))), r"must be \[frame, y, x\]"),
        (dict(estimates={"model": np.zeros((6, 20, 23))}), "the estimate of model must be"),
        (dict(mask=np.zeros((5, 20, 1), bool)), "the mask must be"),
        (dict(residual={"model": np.zeros((6, 19))}), "the residual of model must be"),
        (dict(region=(slice(30, 40), slice(0, 4))), "holds no pixel"),
    ],
)
def test_shapes_that_do_not_fit_are_refused(rng, changes, message):
    with pytest.raises(InputError, match=message):
        view(rng, **changes)
    with pytest.raises(InputError, match="2 columns, a row with 1"):
        page.Table("t", ["a", "b"], [["1"]])


def test_quality_falls_until_the_page_fits(tmp_path, rng, monkeypatch):
    views = [view(rng, shape=(8, 64, 64)) for _ in range(2)]
    text, data = written(tmp_path, views=views)
    assert "lossless WebP" in text
    smaller = len(text) - sum(map(len, data["sheets"])) // 2
    monkeypatch.setattr(document, "MAX_BYTES", smaller)
    text, _ = written(tmp_path, views=views)
    assert "lossy WebP (quality" in text and len(text.encode()) <= smaller
    monkeypatch.setattr(document, "MAX_BYTES", len(text) // 20)
    with pytest.raises(InputError, match=r"10 cines do not fit into the .* MiB.*fewer"):
        written(tmp_path, views=views)


def test_ten_noisy_series_stay_below_15_mib(tmp_path, rng):
    shape = (20, 192, 192)
    y, x = np.mgrid[-1:1:192j, -1:1:192j]
    reference = np.broadcast_to(np.exp(-3 * np.hypot(y, x)) * (1 + np.cos(20 * x)), shape)
    methods = ("zero_filled", "temporal_average", "view_sharing", "model")
    estimates = {m: reference + rng.normal(scale=0.1, size=shape) for m in methods}
    one = view(rng, shape=shape, reference=reference, estimates=estimates)
    text, _ = written(tmp_path, views=10 * [one])
    assert "lossy WebP" in text
    assert page.MAX_BYTES / 2 < (tmp_path / "report.html").stat().st_size <= 15 * 2**20


def test_a_sheet_that_no_picture_can_hold_is_refused():
    with pytest.raises(InputError, match="fewer frames"):
        sheets.columns((2000, 512, 512))
    assert sheets.columns((20, 192, 1)) == 20


def test_a_film_shows_magnitudes_above_errors(rng):
    one = view(rng)
    frames = films.panels(one.reference, one.estimates, gain=2)
    assert frames.shape == (6, 2 * (14 + 20), 3 * 24) and frames.dtype == np.uint8
    peak = np.percentile(np.abs(one.reference), 99.5)
    error = np.abs(np.abs(one.estimates["model"]) - np.abs(one.reference))
    np.testing.assert_allclose(
        frames[:, 48:, 48:], 255 * np.minimum(2 * error / peak, 1), atol=0.51
    )
    assert frames[:, :14, :24].any() and not frames[:, 48:, :24].any()
    assert films.panels(one.reference, {}).shape == (6, 34, 24)


@pytest.mark.parametrize(("num_frames", "seconds", "total"), [(7, 1.0, 1.0), (60, 1.0, 1.2)])
def test_a_gif_lasts_a_cycle(tmp_path, rng, num_frames, seconds, total):
    frames = rng.integers(0, 255, (num_frames, 20, 22), dtype=np.uint8)
    films.save(tmp_path / "films" / "heart.gif", frames, seconds)
    with Image.open(tmp_path / "films" / "heart.gif") as film:
        durations = [f.info["duration"] for f in ImageSequence.Iterator(film)]
        assert film.n_frames == num_frames and film.info["loop"] == 0
    assert sum(durations) == pytest.approx(1000 * total)


def test_an_mp4_has_all_frames(tmp_path, rng):
    pytest.importorskip("imageio_ffmpeg", reason="needs pip install 'jdmri[movies]'")
    import imageio.v2 as imageio

    films.save(tmp_path / "heart.mp4", rng.integers(0, 255, (10, 33, 47), dtype=np.uint8), 2.0)
    with imageio.get_reader(tmp_path / "heart.mp4") as film:
        assert film.get_meta_data()["fps"] == pytest.approx(5)
        assert [f.shape for f in film] == [(34, 48, 3)] * 10


def test_films_that_cannot_be_written_say_why(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    frames = np.zeros((2, 4, 4), np.uint8)
    with pytest.raises(InputError, match=r"pip install 'jdmri\[movies\]'"):
        films.save(tmp_path / "heart.mp4", frames)
    with pytest.raises(InputError, match=r"a \.gif or an \.mp4, got 'heart\.avi'"):
        films.save(tmp_path / "heart.avi", frames)
    assert not list(tmp_path.iterdir())
