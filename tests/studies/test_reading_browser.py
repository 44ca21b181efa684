"""The reader's page in a browser: two readers answer every case, and their files are analysed."""

import base64
import io
import re
import shutil

import numpy as np
import pytest
from PIL import Image

from jdmri.studies import reading
from jdmri.studies.reading import key
from tests.helpers.readings import METHODS, case

sync_api = pytest.importorskip("playwright.sync_api", reason="needs `pip install playwright`")
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="needs chromium or google-chrome in PATH"),
]


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    folder = tmp_path_factory.mktemp("study")
    reading.make(folder, [case(i, shape=(6, 40, 32), reference=i > 0) for i in range(7)], seed=0)
    return folder


@pytest.fixture(scope="module")
def browser():
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser, study):
    """Open the study in a fresh profile; afterwards nothing may have gone wrong or been fetched."""
    context = browser.new_context(viewport={"width": 1400, "height": 860})
    page, wrong = context.new_page(), []
    page.on("console", lambda message: wrong.append(message.text))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    address = (study / "reader.html").as_uri()
    page.on("request", lambda r: r.url in (address, "data:,") or r.url.startswith(("data:image", "blob:")) or wrong.append(r.url))  # fmt: skip
    page.goto(address)
    yield page
    context.close()
    assert not wrong


def enter(page, name, *, ties=False):
    page.fill("#reader", name)
    page.set_checked("#ties", ties)
    page.click("text=Start")
    page.wait_for_selector(".tile canvas")


def at(page, number):
    # Not page.wait_for_function: it evaluates a string in the page, which the page forbids.
    sync_api.expect(page.locator("#where")).to_have_text(f"Case {number} of 8")


def press(page, text):
    for one in text:
        page.keyboard.press(one)


def true_ranks(one):
    """Letter → rank of a presentation; methods come best first in `METHODS`."""
    return {letter: METHODS.index(method) + 1 for letter, method in one.letters.items()}


def gray(page):
    """Mean gray of the first frame shown."""
    png = page.evaluate("document.querySelector('.tile canvas').toDataURL()").split(",")[1]
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(png))).convert("L")).mean()


def test_all_cases_by_keyboard(page, study, tmp_path):
    secret = key.read(study)
    enter(page, "R1")
    for number, one in enumerate(secret.presentations, 1):
        at(page, number)
        for letter, rank in true_ranks(one).items():
            press(page, f"{letter.lower()}{rank}{6 - rank}{6 - rank}{6 - rank}{6 - rank}")
        assert page.inner_text("#problems") == "Case complete."
        if number == 2:
            page.locator(".card input").first.fill('soft, "blurred"; spätdiastolisch')
        if number < len(secret.presentations):
            page.click("#next")
    with page.expect_download() as download:
        page.click("#next")
    path = tmp_path / download.value.suggested_filename
    download.value.save_as(path)
    assert path.name == f"answers_{secret.study}_R1.csv"
    result = reading.analyse(study, [path])
    order = [result.judgements.methods.index(m) for m in METHODS]
    np.testing.assert_allclose(result.comparison.mean_ranks[order], [1, 2, 3, 4])
    assert result.agreement["within"]["R1"]["spearman"] == pytest.approx(1)
    assert 'soft, ""blurred""; spätdiastolisch' in (study / "analysis" / "scores.csv").read_text("utf-8")  # fmt: skip


def test_by_mouse_with_ties(page, study, tmp_path):
    secret = key.read(study)
    enter(page, "R2", ties=True)
    for number, one in enumerate(secret.presentations, 1):
        at(page, number)
        for letter in one.letters:
            for row in ("rank", "overall", "border", "artefacts", "motion"):
                page.click(f".card[data-letter={letter}] .row[data-row={row}] button:text-is('2')")
        assert page.inner_text("#problems") == "A and B and C and D share rank 2. Case complete."
        if number < len(secret.presentations):
            page.click("#next")
    with page.expect_download() as download:
        page.click("#export")
    download.value.save_as(tmp_path / "R2.csv")
    assert reading.analyse(study, [tmp_path / "R2.csv"]).judgements.given.min() == 2


def test_a_case_is_not_left_silently_and_nothing_is_exported_before_the_end(page, study):
    enter(page, "R1")
    press(page, "a1b1")
    assert page.inner_text("#problems") == "A and B share rank 1: give each rank once."
    page.keyboard.press("n")
    assert "A and B share rank 1" in page.inner_text("#dialog") and "C: everything" in page.inner_text("#dialog")  # fmt: skip
    page.click("text=Answer now")
    at(page, 1)
    page.click("#chips button:nth-child(3)")
    page.click("text=Leave for later")
    at(page, 3)
    page.click("#export")
    assert "8 of 8 cases are not complete" in page.inner_text("#dialog")
    page.click("text=Go to case 1")
    at(page, 1)
    assert page.locator("#chips .begun").count() == 1
    press(page, "b1")  # goes to the first open row, not to the rank
    press(page, "a")
    page.keyboard.press("ArrowUp")  # from overall back to the rank
    page.keyboard.press("1")  # takes it back
    assert page.locator(".card[data-letter=A] [aria-pressed=true]").count() == 0


def test_closing_the_page_loses_nothing(page):
    enter(page, "R7", ties=True)
    press(page, "c2543")
    page.reload()
    page.click("text=Continue as R7")
    page.wait_for_selector(".tile canvas")
    pressed = page.locator(".card[data-letter=C] [aria-pressed=true]").all_inner_texts()
    assert pressed == ["2", "5", "4", "3"]
    assert page.inner_text("#who") == "R7, ties allowed"


def test_players_window_zoom_and_montage(page, study):
    secret = key.read(study)
    enter(page, "R1")
    referenced = [i for i, one in enumerate(secret.presentations) if one.name != "series00"]
    page.click(f"#chips button:nth-child({referenced[0] + 1})")
    at(page, referenced[0] + 1)
    assert page.locator(".tile").count() == 5
    before = page.inner_text("#frame-text")
    sync_api.expect(page.locator("#frame-text")).not_to_have_text(before)
    page.keyboard.press("Space")
    still = page.inner_text("#frame-text")
    page.wait_for_timeout(200)
    assert page.inner_text("#frame-text") == still
    page.keyboard.press("ArrowRight")
    assert page.inner_text("#frame-text") != still
    level = gray(page)
    box = page.locator(".tile").first.bounding_box()
    page.mouse.move(box["x"] + 50, box["y"] + 50)
    page.mouse.down(button="right")
    page.mouse.move(box["x"] + 50, box["y"] + 130)
    page.mouse.up(button="right")
    assert page.inner_text("#level-text") == "70 %" and gray(page) < level
    page.mouse.wheel(0, -400)
    style = ("style", re.compile(r"scale\(1\.8"))
    sync_api.expect(page.locator(".tile canvas").nth(3)).to_have_attribute(*style)
    page.keyboard.press("w")
    assert gray(page) == level and "scale(1)" in page.locator(".tile canvas").nth(3).get_attribute("style")  # fmt: skip
    page.keyboard.press("m")
    assert page.locator(".tile").count() == 5 * 6
    page.keyboard.press("m")
    assert page.locator(".tile").count() == 5
    page.keyboard.press("?")
    assert "sharpness of the endocardial border" in page.inner_text("#dialog")
