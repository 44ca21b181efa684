// The player: one series at a time, all panels on the same frame with the same settings.

const START = { window: 100, level: 50 }; // % of the peak
const GAINS = [1, 3, 5, 10];
const settings = { ...START, gain: 5, cycles: 1, zoom: false, playing: false, frame: 0 };
const hidden = new Set();
let shown = null; // { view, columns, panels, line, sampling }, once decoded
let wanted = -1; // the series chosen last: an earlier one may finish decoding later
let elapsed = 0; // frames since the start, with their fraction

const box = () => {
  const { region, width, height } = shown.view;
  return settings.zoom ? region : [0, 0, width, height];
};

/** Decode a series and show it. */
async function choose(index) {
  wanted = index;
  const view = data.series[index];
  const cine = { count: view.frames, columns: view.columns, height: view.height, width: view.width };
  const load = (sheet) => (sheet === null ? null : decode(data.sheets[sheet], cine));
  const levels = await Promise.all(view.panels.flatMap((p) => [load(p.image), load(p.error)]));
  const mask = await decode(view.mask.image, { ...view.mask, count: view.frames });
  const size = { count: 1, columns: 1, height: view.mask.height, width: view.frames };
  const residuals = await Promise.all(view.residual.map((r) => decode(r.image, size)));
  if (wanted !== index) return;
  const columns = view.panels.map((spec, i) =>
    ["image", "error"]
      .filter((kind) => spec[kind] !== null)
      .map((kind, j) => new Panel(view, kind, spec, levels[2 * i + j])),
  );
  const sampling = new Sampling(view, mask, residuals);
  shown = { view, columns, panels: columns.flat(), line: new Line(view, box, refresh), sampling };
  build();
  refresh();
}

/** Put the panels of the series into the page: a column a method, image above error. */
function build() {
  const { view, columns, panels, line, sampling } = shown;
  for (const panel of panels) {
    line.attach(panel.stage);
    onDrag(panel.stage, startWindow, dragWindow);
    panel.stage.addEventListener("dblclick", () => set(START));
    onDrag(panel.strip, () => true, (event) => seek(panel.strip, event));
  }
  const made = columns.map((column) =>
    element("div", { class: "column", "data-method": column[0].name }, ...column.map((p) => p.figure)),
  );
  made[0].append(legend(view));
  find("panels").replaceChildren(...made);
  find("sampling").replaceChildren(...sampling.strips.map((s) => s.figure));
  find("toggles").replaceChildren(element("span", {}, "Panels"), ...made.map(toggles));
  find("series").childNodes.forEach((tab, i) => tab.setAttribute("aria-pressed", i === wanted));
  find("frame").max = view.frames - 1;
  elapsed = settings.frame = Math.min(settings.frame, view.frames - 1);
}

/** Facts of the series; they stand where the reference would have its error. */
function legend({ name, frames, height, width, peak }) {
  return element(
    "div",
    { class: "legend" },
    element("p", {}, element("b", {}, name), element("br"), `${frames} frames of ${height} × ${width} (y × x)`),
    element("p", {}, `100 % = ${peak}, the 99.5th percentile of |reference|.`),
    element("p", {}, "Errors: | |estimate| − |reference| | on the same scale, times the gain."),
    element("p", { id: "length" }),
  );
}

/** Draw everything again: after a change of settings, line, crop or series. */
function refresh() {
  const { panels, line, view } = shown;
  const [left, top, right, bottom] = box();
  for (const panel of panels) {
    panel.stage.style.aspectRatio = `${right - left} / ${bottom - top}`;
    panel.setColours(settings);
    panel.drawProfile(line);
  }
  line.draw();
  find("length").textContent = `Line A–B: ${line.length().toFixed(1)} pixels.`;
  showSettings(view);
  drawFrame();
}

function drawFrame() {
  const { panels, sampling, view } = shown;
  for (const panel of panels) panel.drawFrame(settings.frame, box());
  sampling.drawFrame(settings.frame);
  find("frame").value = settings.frame;
  find("frame-text").textContent = `${settings.frame} / ${view.frames - 1}`;
  find("player").style.setProperty("--cursor", `${(100 * (settings.frame + 0.5)) / view.frames}%`);
}

function showSettings({ frames }) {
  const { window, level, cycles, gain, zoom, playing } = settings;
  find("window").value = window;
  find("level").value = level;
  find("window-text").textContent = `${Math.round(window)} %`;
  find("level-text").textContent = `${Math.round(level)} %`;
  find("speed-text").textContent = `${cycles.toFixed(1)} cycles/s, ${Math.round(cycles * frames)} fps`;
  find("zoom").setAttribute("aria-pressed", zoom);
  find("play").setAttribute("aria-pressed", playing);
  find("gain").querySelectorAll("button").forEach((b, i) => b.setAttribute("aria-pressed", GAINS[i] === gain));
}

function set(changes) {
  Object.assign(settings, changes);
  if (shown) refresh();
}

function goTo(frame) {
  const { frames } = shown.view;
  elapsed = settings.frame = ((frame % frames) + frames) % frames;
  drawFrame();
}

function tick(before) {
  requestAnimationFrame((now) => {
    if (settings.playing && shown) {
      const { frames } = shown.view;
      elapsed = (elapsed + (Math.min(now - before, 250) / 1000) * settings.cycles * frames) % frames;
      if (Math.floor(elapsed) !== settings.frame) {
        settings.frame = Math.floor(elapsed);
        drawFrame();
      }
    }
    tick(now);
  });
}
