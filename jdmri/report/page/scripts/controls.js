// What the viewer presses and drags.

const MOST = 6; // methods in a row
/** Buttons that hide a picture and its error; a choice outlives a change of series. */
function toggles(column) {
  const name = column.dataset.method;
  const buttons = [...column.querySelectorAll("figure")].map((figure, i) => {
    const id = `${i} ${name}`;
    const show = (visible) => {
      figure.hidden = !visible;
      made.setAttribute("aria-pressed", visible);
      countColumns();
    };
    const made = button(i ? "error" : name, true, () => {
      if (!hidden.delete(id)) hidden.add(id);
      show(!hidden.has(id));
    });
    show(!hidden.has(id));
    return made;
  });
  return element("div", { class: "choice" }, ...buttons);
}

function countColumns() {
  const columns = [...find("panels").children];
  for (const column of columns) column.hidden = [...column.querySelectorAll("figure")].every((f) => f.hidden);
  // More than MOST in a row would be too small to judge: they share further rows evenly.
  const count = columns.filter((c) => !c.hidden).length;
  const perRow = Math.ceil(count / Math.ceil(count / MOST));
  find("panels").style.setProperty("--columns", perRow || 1);
  find("panels").classList.toggle("crowded", perRow > 4);
}

function seek(strip, event) {
  const area = strip.getBoundingClientRect();
  const share = clamp((event.clientX - area.left) / area.width, 0, 0.9999);
  goTo(Math.floor(share * shown.view.frames));
}

/** A finger scrolls the page; a mouse or pen sets window and level. */
const startWindow = (event) => (event.pointerType === "touch" ? null : { event, ...settings });

function dragWindow(event, start) {
  const across = event.clientX - start.event.clientX;
  const up = start.event.clientY - event.clientY;
  set({ window: clamp(start.window + across / 2, 2, 200), level: clamp(start.level + up / 2, 0, 125) });
}

function toggleSmooth() {
  const sharp = find("player").classList.toggle("sharp");
  find("smooth").setAttribute("aria-pressed", !sharp);
}

function reset() {
  shown.line.ends = startLine(shown.view);
  find("speed").value = 1;
  set({ ...START, gain: 5, cycles: 1, zoom: false });
}

const play = () => set({ playing: !settings.playing });

/** Space plays, left and right step, wherever they mean nothing else. */
function onKey(event) {
  const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  const { target } = event;
  if (event.ctrlKey || event.metaKey || event.altKey || (!step && event.key !== " ")) return;
  if (target.closest(step ? "[role=region], input:not(#frame)" : "button, summary")) return;
  if (step) goTo(settings.frame + step);
  else play();
  event.preventDefault();
}

function listen() {
  const slide = (id, change) => find(id).addEventListener("input", (event) => change(Number(event.target.value)));
  slide("frame", goTo);
  slide("speed", (cycles) => set({ cycles }));
  slide("window", (window) => set({ window }));
  slide("level", (level) => set({ level }));
  const press = (id, action) => find(id).addEventListener("click", action);
  press("play", play);
  press("zoom", () => set({ zoom: !settings.zoom }));
  press("smooth", toggleSmooth);
  press("reset", reset);
  document.addEventListener("keydown", onKey);
  // After a click or a drag the keys belong to the player again; with the keyboard alone focus stays.
  find("player").addEventListener("pointerup", () => setTimeout(() => document.activeElement?.blur()));
}

async function start() {
  const tab = ({ label, name }, index) =>
    button(element("b", {}, label), false, () => choose(index), { "aria-label": `${label}: ${name}` });
  find("series").append(...data.series.map(tab));
  find("series").childNodes.forEach((made, i) => made.append(element("span", {}, data.series[i].name)));
  find("gain").append(...GAINS.map((gain) => button(`× ${gain}`, false, () => set({ gain }))));
  await choose(0);
  listen();
  tick(performance.now());
}

if (data.series.length) start();
