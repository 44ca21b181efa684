// Tables: a click on a header sorts, a button copies as CSV.

/** The number a cell starts with, or null: "34.1 ± 2.0" sorts as 34.1. */
function numberOf(text) {
  const number = parseFloat(text.replace("−", "-"));
  return Number.isNaN(number) ? null : number;
}

/** Numbers before words, whichever the direction. */
function compare(a, b, sign) {
  const [x, y] = [numberOf(a), numberOf(b)];
  if (x !== null && y !== null) return sign * (x - y);
  if (x !== null || y !== null) return x !== null ? -1 : 1;
  return sign * a.localeCompare(b, undefined, { numeric: true });
}

function sort(table, column) {
  const heads = [...table.tHead.rows[0].cells];
  const up = heads[column].getAttribute("aria-sort") !== "ascending";
  heads.forEach((head) => head.removeAttribute("aria-sort"));
  heads[column].setAttribute("aria-sort", up ? "ascending" : "descending");
  const text = (row) => row.cells[column].textContent.trim();
  const rows = [...table.tBodies[0].rows].sort((a, b) => compare(text(a), text(b), up ? 1 : -1));
  table.tBodies[0].append(...rows);
}

const csv = (table) =>
  [...table.rows]
    .map((row) => [...row.cells].map((c) => `"${c.textContent.trim().replaceAll('"', '""')}"`).join(","))
    .join("\n");

/** Copy, or where the browser has no clipboard for files, save. */
async function copy(table, said) {
  const content = csv(table);
  try {
    await navigator.clipboard.writeText(content);
    said.textContent = "Copied";
  } catch {
    const href = `data:text/csv;charset=utf-8,${encodeURIComponent(content)}`;
    element("a", { href, download: "table.csv" }).click();
    said.textContent = "Saved";
  }
  setTimeout(() => (said.textContent = "Copy as CSV"), 1500);
}

for (const holder of document.querySelectorAll("div.table")) {
  const table = holder.querySelector("table");
  [...table.tHead.rows[0].cells].forEach((head, column) => {
    head.firstChild.addEventListener("click", () => sort(table, column));
  });
  const said = holder.querySelector(".copy");
  said.addEventListener("click", () => copy(table, said));
  const rows = [...table.tBodies[0].rows];
  [...table.tHead.rows[0].cells].forEach((head, column) => {
    const cells = rows.map((row) => row.cells[column]);
    if (!cells.some((cell) => numberOf(cell.textContent.trim()) !== null)) return;
    for (const cell of [head, ...cells]) cell.classList.add("number");
  });
}
