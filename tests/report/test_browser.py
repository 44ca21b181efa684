"""The report in a real browser: everything that moves, moves together."""

import re
import shutil

import numpy as np
import pytest

from jdmri.report import page

playwright = pytest.importorskip("playwright.sync_api", reason="needs pip install playwright")
CHROMIUM = shutil.which("chromium")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="needs Debian's package chromium"),
]

FRAMES = 10


def beating(rng, frames, size, name, label):
    """A disc that beats, and two estimates of it: noisy, and still."""
    y, x = np.mgrid[:size, :size] - size / 2 + 0.5
    radius = size * (0.25 + 0.08 * np.cos(2 * np.pi * np.arange(frames) / frames))
    reference = 0.15 + 0.85 / (1 + np.exp(np.hypot(y, x) - radius[:, None, None]))
    noisy = reference + 0.05 * rng.normal(size=reference.shape)
    still = np.broadcast_to(reference.mean(axis=0), reference.shape)
    region = slice(size // 4, 3 * size // 4)
    return page.View(
        name=name,
        label=label,
        reference=reference,
        estimates={"noisy": noisy, "temporal_average": still},
        captions={"noisy": "26.0 dB"},
        mask=rng.uniform(size=(frames, size, 1)) < 0.3,
        residual={"noisy": rng.uniform(size=(frames, size))},
        region=(region, region),
    )


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    rng = np.random.default_rng(0)
    rows = [["noisy", "9.5"], ["still", "**31.2 ± 2**"], ["zero", "not defined"], ["model", "100"]]
    report = page.Page(
        title="Beating discs",
        sentences=["Two series."],
        views=[
            beating(rng, FRAMES, 48, "disc-0", "worst 1"),
            beating(rng, 7, 40, "disc-1", "median"),
        ],
        tables=[page.Table("PSNR", ["method", "dB"], rows)],
        figures={},
        card={"mask": {"name": "lines"}},
    )
    file = tmp_path_factory.mktemp("page") / "report.html"
    page.write(file, report)
    return file


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture
def tab(browser, path):
    """The page, loaded; at the end: nothing was fetched, nothing complained."""
    tab = browser.new_page(viewport={"width": 1400, "height": 1000})
    requests, complaints = [], []
    tab.on("request", lambda r: requests.append(r.url))
    tab.on("console", lambda m: complaints.append(m.text))
    tab.on("pageerror", lambda e: complaints.append(str(e)))
    tab.goto(path.as_uri())
    tab.wait_for_selector("#panels canvas")
    yield tab
    tab.close()
    assert [r for r in requests if not r.startswith("data:")] == [path.as_uri()]
    assert complaints == []


def pixels(tab, selectors):
    return [tab.eval_on_selector(one, "(canvas) => canvas.toDataURL()") for one in selectors]


def canvases(part, kinds=("image", "error")):
    """Selectors of the pictures (``stage``) or profiles (``strip``) of all panels."""
    names = {
        "image": ("reference", "noisy", "temporal average"),
        "error": ("noisy", "temporal average"),
    }
    return [f'.panel.{k}[data-panel="{n}"] .{part} canvas' for k in kinds for n in names[k]]


def changed(before, after):
    return [a != b for a, b in zip(before, after, strict=True)]


def widths(tab):
    return tab.eval_on_selector_all(".stage canvas", "all => all.map((c) => c.width)")


def frame(tab):
    return int(tab.input_value("#frame"))


def slide(tab, name, value):
    tab.eval_on_selector(
        f"#{name}", "(e, v) => { e.value = v; e.dispatchEvent(new Event('input')); }", value
    )


def drag(tab, start, by):
    x, y = start
    tab.mouse.move(x, y)
    tab.mouse.down()
    tab.mouse.move(x + by[0], y + by[1], steps=4)
    tab.mouse.up()


def centre(tab, selector):
    tab.locator(selector).first.scroll_into_view_if_needed()
    box = tab.locator(selector).first.bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_it_plays_and_pauses(tab):
    first = pixels(tab, canvases("stage"))
    tab.click("#play")
    playwright.expect(tab.locator("#frame")).to_have_value(re.compile("[3-9]"))
    tab.keyboard.press("Space")
    now, shown = frame(tab), pixels(tab, canvases("stage"))
    assert all(changed(first, shown)[:2])
    tab.wait_for_timeout(400)
    assert frame(tab) == now and not any(changed(shown, pixels(tab, canvases("stage"))))
    tab.keyboard.press("Space")
    playwright.expect(tab.locator("#frame")).not_to_have_value(str(now))


def test_the_slider_and_keys_move_all_panels(tab):
    first = pixels(tab, canvases("stage"))
    cursor = centre(tab, ".xt .cursor")
    slide(tab, "frame", 4)
    # The temporal average stands still, its error does not.
    assert changed(first, pixels(tab, canvases("stage"))) == [True, True, False, True, True]
    assert centre(tab, ".xt .cursor") > cursor
    tab.keyboard.press("ArrowRight")
    assert frame(tab) == 5 and tab.text_content("#frame-text") == "5 / 9"
    for _ in range(6):
        tab.keyboard.press("ArrowLeft")
    assert frame(tab) == FRAMES - 1
    tab.locator(".panel .xt").first.click(position={"x": 3, "y": 30})
    assert frame(tab) == 0


def test_window_and_level_by_slider_drag_and_double_click(tab):
    first = pixels(tab, canvases("stage") + canvases("strip"))
    slide(tab, "window", 40)
    after = pixels(tab, canvases("stage") + canvases("strip"))
    assert changed(first, after) == [True, True, True, False, False] * 2  # errors have their gain
    slide(tab, "level", 80)
    assert all(changed(after, pixels(tab, canvases("stage") + canvases("strip")))[:3])
    assert tab.locator('.panel.image[data-panel="noisy"] .scale').text_content() == "60100 %"
    x, y = centre(tab, '.panel.error[data-panel="noisy"] .stage')
    tab.mouse.dblclick(x + 60, y)
    assert not any(changed(first, pixels(tab, canvases("stage") + canvases("strip"))))
    drag(tab, (x + 60, y), (40, -20))
    assert tab.text_content("#window-text") == "120 %" and tab.text_content("#level-text") == "60 %"


def test_the_line_drags_and_every_profile_follows(tab):
    first = pixels(tab, canvases("strip"))
    handle = '.panel.error[data-panel="noisy"] .handle >> nth=1'
    drag(tab, centre(tab, handle), (50, 12))
    after = pixels(tab, canvases("strip"))
    assert all(changed(first, after))
    places = tab.eval_on_selector_all(".handle:nth-of-type(2)", "all => all.map(e => e.style.left)")
    assert len(places) == 5 and len(set(places)) == 1 and float(places[0].rstrip("%")) > 55
    drag(tab, centre(tab, ".panel .grip"), (-40, 0))
    moved = pixels(tab, canvases("strip"))
    assert all(changed(after, moved))
    tab.focus(".handle")
    tab.keyboard.press("ArrowLeft")
    assert frame(tab) == 0 and any(changed(moved, pixels(tab, canvases("strip"))))
    tab.click("#reset")
    assert not any(changed(first, pixels(tab, canvases("strip"))))


def test_the_gain_changes_errors_only(tab):
    first = pixels(tab, canvases("stage") + canvases("strip"))
    tab.get_by_role("button", name="× 10", exact=True).click()
    after = pixels(tab, canvases("stage") + canvases("strip"))
    assert changed(first, after) == [False, False, False, True, True] * 2
    assert tab.locator(".panel.error .scale").first.text_content() == "010 %"


def test_another_series_with_another_shape(tab):
    slide(tab, "frame", 9)
    tab.get_by_role("button", name="median: disc-1").click()
    playwright.expect(tab.locator("#frame")).to_have_attribute("max", "6")
    assert frame(tab) == 6 and "7 frames of 40 × 40" in tab.text_content(".legend")
    assert widths(tab) == [40] * 5
    tab.get_by_role("button", name="worst 1: disc-0").click()
    playwright.expect(tab.locator("#frame")).to_have_attribute("max", "9")


def test_panels_hide_and_the_heart_is_zoomed(tab):
    tab.get_by_role("button", name="temporal average").click()
    assert tab.locator('.panel.image[data-panel="temporal average"]').is_hidden()
    assert tab.locator('.panel.error[data-panel="temporal average"]').is_visible()
    tab.click("#zoom")
    assert widths(tab) == [24] * 5
    assert tab.locator("#sampling figure").count() == 3


def test_a_table_sorts_numbers_as_numbers(tab):
    order = lambda: tab.locator("tbody tr td:first-child").all_text_contents()
    head = tab.get_by_role("button", name="dB")
    head.click()
    assert order() == ["noisy", "still", "model", "zero"]
    head.click()
    assert order() == ["model", "still", "noisy", "zero"]
    assert tab.locator("th").nth(1).get_attribute("aria-sort") == "descending"


@pytest.mark.parametrize("width", [1400, 420])
def test_nothing_is_wider_than_the_window(tab, width, tmp_path):
    tab.set_viewport_size({"width": width, "height": 900})
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    tab.screenshot(path=tmp_path / f"{width}.png", full_page=True)
