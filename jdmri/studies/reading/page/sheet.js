// The session: welcome, going from case to case, keys, export.

const KEYS = [
  ["Space", "play or pause"], ["← →", "one frame back or on"], ["A B C …", "answer this candidate"],
  ["1 … 9", "fill the active row and go on; again: take back"], ["↑ ↓", "another row"], ["N, P", "next, previous case"],
  ["M", "montage of six frames, or players"], ["W", "window, zoom and position as at first"],
  ["wheel, drag", "zoom, move"], ["right drag", "window (across) and level (down)"], ["?", "this help"],
];

let since = null; // when the present case was last taken up; null while the page is not looked at

/** Add the time since to the present case. */
function settle() {
  const now = performance.now();
  if (since !== null) answers.given[answers.position].seconds += (now - since) / 1000;
  since = document.hidden ? null : now;
  answers.save();
}

async function go(index) {
  settle();
  answers.position = index;
  const shown = await series(index);
  if (answers.position !== index) return; // gone on meanwhile
  $("where").textContent = `Case ${index + 1} of ${about.screens.length}`;
  $("previous").disabled = index === 0;
  $("next").textContent = index + 1 < about.screens.length ? "Next case" : "Finish";
  form.active.letter = Object.keys(answers.cells())[0];
  form.show();
  viewer.show(about.screens[index], shown);
  answers.save();
  if (index + 1 < about.screens.length) series(index + 1);
}

/** Go on to another case; one that is begun, or that was to be done now, is not left silently. */
async function leave(index, asked = answers.begun(answers.position)) {
  const problems = answers.problems();
  if (asked && problems.length) {
    const body = [element("h2", "", "This case is not complete"), list(problems)];
    if ((await ask(body, ["Answer now", "Leave for later"])) !== "Leave for later") return;
  }
  if (index < about.screens.length) await go(index);
  else await finish();
}

const next = () => leave(answers.position + 1, true);
const previous = () => answers.position > 0 && leave(answers.position - 1);

/** Export if every case is complete; else say which are not, and go there. */
async function finish() {
  settle();
  const open = answers.incomplete();
  if (open.length) {
    const lines = open.map((index) => `Case ${index + 1}: ${answers.problems(index).join("; ")}`);
    const body = [element("h2", "", `${open.length} of ${about.screens.length} cases are not complete`), list(lines)];
    if ((await ask(body, [`Go to case ${open[0] + 1}`, "Close"])) !== "Close") await go(open[0]);
    return;
  }
  const name = `answers_${about.id}_${answers.reader}.csv`;
  const link = Object.assign(element("a"), { download: name, href: URL.createObjectURL(new Blob([answers.csv()], { type: "text/csv" })) });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  await ask([element("h2", "", "Thank you"), element("p", "", `${name} is among your downloads: please send it back as it is.`)], ["Close"]);
}

function list(lines) {
  const box = element("ul");
  box.append(...lines.map((text) => element("li", "", text)));
  return box;
}

/** Show a dialog and wait for one of its buttons; Escape is "". */
function ask(body, choices) {
  $("dialog-text").replaceChildren(...body);
  $("dialog-buttons").replaceChildren(...choices.map((text, i) => Object.assign(element("button", i ? "" : "main", text), { value: text })));
  $("dialog").returnValue = "";
  $("dialog").showModal();
  return new Promise((resolve) => $("dialog").addEventListener("close", () => resolve($("dialog").returnValue), { once: true }));
}

function help() {
  const keys = element("table");
  for (const [key, meaning] of KEYS) addRow(keys, element("kbd", "", key), meaning);
  const meanings = element("table");
  criteriaTable(meanings);
  ask([element("h2", "", "Keys"), keys, element("h2", "", "Criteria"), meanings, element("p", "quiet", scaleText())], ["Close"]);
}

function addRow(table, ...cells) {
  table.insertRow().append(...cells.map((content) => {
    const cell = element("td");
    cell.append(content);
    return cell;
  }));
}

function criteriaTable(table) {
  for (const { title, meaning } of about.criteria) addRow(table, element("b", "", title), meaning);
}

function chips() {
  $("chips").replaceChildren(...about.screens.map((_, index) => {
    const state = answers.problems(index).length ? (answers.begun(index) ? "begun" : "") : "done";
    const chip = element("button", state, index + 1);
    chip.title = `case ${index + 1}: ${{ done: "complete", begun: "begun" }[state] ?? "not answered"}`;
    if (index === answers.position) chip.setAttribute("aria-current", "step");
    chip.addEventListener("click", () => leave(index));
    return chip;
  }));
}

function press(event) {
  const typing = event.target.matches("input:not([type=range])");
  if (typing && event.key === "Escape") event.target.blur();
  if (typing || event.ctrlKey || event.metaKey || event.altKey || $("dialog").open || $("desk").hidden) return;
  const key = event.key.toUpperCase();
  const sliding = event.target.matches("input[type=range]") && key.startsWith("ARROW");
  const action = {
    " ": () => play(), ARROWLEFT: () => viewer.step(-1), ARROWRIGHT: () => viewer.step(1),
    ARROWUP: () => form.moveRow(-1), ARROWDOWN: () => form.moveRow(1), N: next, P: previous,
    M: montage, W: () => viewer.reset(), "?": help,
  }[key] ?? (/^[1-9]$/.test(key) ? () => form.fill(Number(key)) : key in answers.cells() ? () => form.activate(key) : null);
  if (!action || sliding) return;
  event.preventDefault();
  action();
}

function play() {
  viewer.playing = !viewer.playing;
  viewer.draw();
}

function montage() {
  if (viewer.screen.frames === 1) return;
  viewer.montage = !viewer.montage;
  if (viewer.montage) viewer.playing = false; // stills at first; Space moves them too
  viewer.build();
}

async function enter(reader, ties) {
  answers.open(reader, ties);
  $("welcome").hidden = true;
  $("desk").hidden = false;
  $("who").textContent = `${reader}${answers.ties ? ", ties allowed" : ""}`;
  since = document.hidden ? null : performance.now();
  await go(answers.position);
  requestAnimationFrame((now) => viewer.tick(now));
}

function welcome() {
  const letters = Object.keys(about.screens[0].candidates);
  $("count").textContent = `${about.screens.length} cases`;
  $("letters").textContent = `${letters[0]} to ${letters.at(-1)}`;
  $("worst").textContent = letters.length;
  criteriaTable($("criteria"));
  $("scale").textContent = scaleText();
  for (const reader of knownReaders()) {
    const button = Object.assign(element("button", "", `Continue as ${reader}`), { type: "button" });
    button.addEventListener("click", () => enter(reader, false));
    $("known").append(button);
  }
  $("welcome").hidden = false;
  $("reader").focus();
}

function wire() {
  const actions = { play, back: () => viewer.step(-1), on: () => viewer.step(1), reset: () => viewer.reset(), montage, help, export: finish, next, previous };
  for (const [id, action] of Object.entries(actions)) {
    $(id).addEventListener("click", (event) => {
      if (event.detail) $(id).blur();
      action();
    });
  }
  $("frame").addEventListener("input", () => viewer.step(Number($("frame").value) - viewer.frame));
  for (const id of ["speed", "width", "level"]) $(id).addEventListener("input", () => viewer.draw());
  $("enter").addEventListener("submit", (event) => {
    event.preventDefault();
    enter($("reader").value, $("ties").checked);
  });
  document.addEventListener("keydown", press);
  document.addEventListener("visibilitychange", () => $("desk").hidden || settle());
  addEventListener("pagehide", () => $("desk").hidden || settle());
  addEventListener("resize", () => $("desk").hidden || viewer.build());
  addEventListener("beforeunload", (event) => answers.kept || event.preventDefault());
}

wire();
welcome();
