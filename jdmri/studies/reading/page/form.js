// The form: a card a candidate, a row a question; digits fill the active row and go on to the next.

const form = {
  active: { letter: "", row: "rank" },

  show() {
    const letters = Object.keys(answers.cells());
    $("cards").replaceChildren(...letters.map(card));
    const first = letters.find((letter) => answers.empty(letter).length) ?? letters[0];
    this.activate(first);
  },

  /** Choose a candidate, and its first open row or the given one. */
  activate(letter, row = answers.empty(letter)[0] ?? "rank") {
    this.active = { letter, row };
    viewer.mark();
    this.refresh();
    document.querySelector(".card.active")?.scrollIntoView({ block: "nearest" });
  },

  /** Answer the active row; a second time the same value takes it back. */
  fill(value, { letter, row } = this.active) {
    if (value > answers.levels(row)) return;
    const cell = answers.cells()[letter];
    const taken = cell[row] === value;
    if (taken) delete cell[row];
    else cell[row] = value;
    answers.save();
    if (taken) this.activate(letter, row);
    else this.goOn(letter, row);
  },

  /** Go to the next open row of this candidate, then of the next one. */
  goOn(letter, row) {
    const letters = Object.keys(answers.cells());
    const places = letters.flatMap((l) => ROWS.map((r) => [l, r]));
    const here = places.findIndex(([l, r]) => l === letter && r === row);
    const open = ([l, r]) => !answers.cells()[l][r];
    const next = places.slice(here + 1).find(open) ?? places.find(open) ?? [letter, row];
    this.activate(...next);
  },

  moveRow(by) {
    const index = ROWS.indexOf(this.active.row);
    this.activate(this.active.letter, ROWS[(index + by + ROWS.length) % ROWS.length]);
  },

  /** Show what is answered, what is shared, and what is missing. */
  refresh() {
    const shared = new Set(answers.shared().flatMap(([, letters]) => letters));
    for (const box of document.querySelectorAll(".card")) {
      const { letter } = box.dataset;
      box.classList.toggle("active", letter === this.active.letter);
      box.classList.toggle("done", !answers.empty(letter).length);
      for (const line of box.querySelectorAll(".row")) {
        const { row } = line.dataset;
        line.classList.toggle("active", letter === this.active.letter && row === this.active.row);
        line.classList.toggle("tied", row === "rank" && answers.ties && shared.has(letter));
        line.classList.toggle("clash", row === "rank" && !answers.ties && shared.has(letter));
        line.querySelectorAll("button").forEach((button, i) => button.setAttribute("aria-pressed", answers.cells()[letter][row] === i + 1));
      }
    }
    $("hint").textContent = hint(this.active.row);
    this.tell();
    chips();
  },

  /** One line about the case: complete, tied, or what a clash is; what is missing is told on leaving. */
  tell() {
    const shared = answers.shared().map(([rank, letters]) => `${letters.join(" and ")} share rank ${rank}`);
    const complete = !answers.problems().length;
    const note = answers.ties && shared.length ? `${shared.join("; ")}.` : "";
    $("problems").className = complete ? (note ? "note" : "fine") : note ? "note" : "";
    $("problems").textContent = [
      shared.length && !answers.ties ? `${shared.join("; ")}: give each rank once.` : note,
      complete ? "Case complete." : "",
      answers.kept ? "" : "This browser keeps nothing: do not close the page before the export.",
    ].join(" ").trim();
  },
};

function card(letter) {
  const box = element("section", "card");
  box.dataset.letter = letter;
  const name = element("div", "name");
  const comment = Object.assign(element("input"), { placeholder: "comment (optional)", maxLength: 500, value: answers.cells()[letter].comment });
  comment.setAttribute("aria-label", `comment on ${letter}`);
  comment.addEventListener("input", () => {
    answers.cells()[letter].comment = comment.value;
    answers.save();
  });
  name.append(element("b", "", letter), comment);
  name.firstChild.addEventListener("click", () => form.activate(letter));
  box.append(name, ...ROWS.map((row) => line(letter, row)));
  return box;
}

function line(letter, row) {
  const box = element("div", `row ${row}`);
  box.dataset.row = row;
  box.setAttribute("role", "group");
  box.setAttribute("aria-label", `${letter}, ${title(row)}`);
  const name = row === "rank" ? "Rank" : about.criteria.find((c) => c.name === row).title;
  box.append(element("span", "", name));
  for (let value = 1; value <= answers.levels(row); value++) {
    const button = element("button", "", value);
    button.title = row === "rank" ? (value === 1 ? "best" : "") : about.scale[value - 1];
    button.addEventListener("click", (event) => {
      form.fill(value, { letter, row });
      if (event.detail) button.blur(); // a mouse leaves the space bar to the players
    });
    box.append(button);
  }
  return box;
}

function hint(row) {
  if (row === "rank") return `Rank: 1 is the best, ${answers.levels(row)} the worst${answers.ties ? "; ties are allowed" : "; each rank once"}.`;
  const { title, meaning } = about.criteria.find((c) => c.name === row);
  return `${title}: ${meaning}. ${scaleText()}.`;
}

function scaleText() {
  return about.scale.map((word, i) => `${i + 1} ${word}`).join(" · ");
}
