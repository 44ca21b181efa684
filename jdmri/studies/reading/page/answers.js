// What the reader answered: kept in the browser after every change, exported as CSV.

const CRITERIA = about.criteria.map((criterion) => criterion.name);
const ROWS = ["rank", ...CRITERIA];

const answers = {
  reader: "", ties: false, position: 0, given: [], kept: true,

  /** Start, or continue what this browser holds of this reader. */
  open(reader, ties) {
    const blank = about.screens.map((screen) => ({
      seconds: 0,
      cells: Object.fromEntries(Object.keys(screen.candidates).map((letter) => [letter, { comment: "" }])),
    }));
    Object.assign(this, { reader, ties, position: 0, given: blank }, stored(reader));
    this.save();
  },

  save() {
    const { reader, ties, position, given } = this;
    try {
      localStorage.setItem(storageName(reader), JSON.stringify({ reader, ties, position, given }));
    } catch {
      this.kept = false; // private windows and full disks; the page says so and asks before it closes
    }
  },

  cells(index = this.position) {
    return this.given[index].cells;
  },

  levels(row) {
    return row === "rank" ? Object.keys(this.cells()).length : about.scale.length;
  },

  empty(letter, index = this.position) {
    return ROWS.filter((row) => !this.cells(index)[letter][row]);
  },

  /** Letters that share a rank, as [[rank, letters], …]. */
  shared(index = this.position) {
    const holders = new Map();
    for (const [letter, { rank }] of Object.entries(this.cells(index))) {
      if (rank) holders.set(rank, [...(holders.get(rank) ?? []), letter]);
    }
    return [...holders].filter(([, letters]) => letters.length > 1);
  },

  /** What keeps a case from being complete, in words. */
  problems(index = this.position) {
    const words = [];
    for (const letter of Object.keys(this.cells(index))) {
      const empty = this.empty(letter, index);
      if (empty.length) words.push(`${letter}: ${empty.length === ROWS.length ? "everything" : empty.map(title).join(", ")}`);
    }
    if (!this.ties) for (const [rank, letters] of this.shared(index)) words.push(`${letters.join(" and ")} share rank ${rank}`);
    return words;
  },

  begun(index) {
    return Object.values(this.cells(index)).some((cell) => cell.comment || ROWS.some((row) => cell[row]));
  },

  incomplete() {
    return about.screens.map((_, index) => index).filter((index) => this.problems(index).length);
  },

  csv() {
    const rows = about.screens.flatMap((screen, index) => {
      const { cells, seconds } = this.given[index];
      return Object.entries(cells).map(([letter, cell]) => ({
        study: about.id, reader: this.reader, case: screen.case, repeat: screen.repeat, letter, ...cell, seconds: seconds.toFixed(1),
      }));
    });
    const lines = rows.map((row) => about.columns.map((name) => quoted(row[name])).join(","));
    return [about.columns.join(","), ...lines].join("\r\n") + "\r\n";
  },
};

function title(row) {
  return row === "rank" ? "rank" : about.criteria.find(({ name }) => name === row).title.toLowerCase();
}

function quoted(value) {
  const text = String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function storageName(reader) {
  return `reader-study/${about.id}/${reader}`;
}

function stored(reader) {
  try {
    return JSON.parse(localStorage.getItem(storageName(reader))) ?? {};
  } catch {
    return {};
  }
}

/** Readers of this study whose answers this browser holds. */
function knownReaders() {
  try {
    const start = storageName("");
    return Object.keys(localStorage).filter((name) => name.startsWith(start)).map((name) => name.slice(start.length)).sort();
  } catch {
    return [];
  }
}
