// The line of the x-t profile: drawn on every panel, its ends A and B and itself can be dragged.

const SVG = "http://www.w3.org/2000/svg";

/** The line a series starts with: down the centre column of the box around the heart. */
function startLine({ region: [left, top, right, bottom] }) {
  const x = Math.floor((left + right) / 2);
  return [
    [x, top],
    [x, bottom - 1],
  ];
}

class Line {
  /** `moved` is called with the new ends; `box` gives the visible [left, top, right, bottom]. */
  constructor(view, box, moved) {
    Object.assign(this, { view, box, moved, ends: startLine(view), drawn: [] });
  }

  /** Lay the line over a panel. Only the first panel's handles take part in the tab order. */
  attach(stage) {
    const grip = document.createElementNS(SVG, "line");
    const seen = document.createElementNS(SVG, "line");
    grip.setAttribute("class", "grip");
    const overlay = document.createElementNS(SVG, "svg");
    overlay.append(grip, seen);
    const handles = ["A", "B"].map((name, end) => this.handle(stage, name, end));
    stage.append(overlay, ...handles);
    onDrag(
      grip,
      (event) => ({ at: this.position(stage, event), ends: this.ends }),
      (event, start) => this.shift(start, this.position(stage, event)),
    );
    this.drawn.push({ lines: [grip, seen], handles });
  }

  handle(stage, name, end) {
    const label = `End ${name} of the x-t line; arrow keys move it`;
    const tab = this.drawn.length ? -1 : 0;
    const made = element("button", { type: "button", class: "handle", "aria-label": label, tabindex: tab }, name);
    onDrag(made, () => true, (event) => this.set(end, this.position(stage, event)));
    made.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
      if (!step) return;
      event.preventDefault();
      event.stopPropagation();
      this.set(end, [this.ends[end][0] + step[0], this.ends[end][1] + step[1]]);
    });
    return made;
  }

  /** Where the pointer is, in pixels of the whole picture; a pixel's centre has a whole number. */
  position(stage, event) {
    const [left, top, right, bottom] = this.box();
    const area = stage.getBoundingClientRect();
    return [
      left + ((event.clientX - area.left) / area.width) * (right - left) - 0.5,
      top + ((event.clientY - area.top) / area.height) * (bottom - top) - 0.5,
    ];
  }

  set(end, [x, y]) {
    this.ends = this.ends.slice();
    this.ends[end] = [clamp(x, 0, this.view.width - 1), clamp(y, 0, this.view.height - 1)];
    this.moved();
  }

  /** Move the whole line, as far as both ends stay inside. */
  shift({ at, ends }, to) {
    const limits = [this.view.width - 1, this.view.height - 1];
    const offset = [0, 1].map((axis) => {
      const places = ends.map((end) => end[axis]);
      return clamp(to[axis] - at[axis], -Math.min(...places), limits[axis] - Math.max(...places));
    });
    this.ends = ends.map(([x, y]) => [x + offset[0], y + offset[1]]);
    this.moved();
  }

  /** In pixels. */
  length() {
    const [[x0, y0], [x1, y1]] = this.ends;
    return Math.hypot(x1 - x0, y1 - y0);
  }

  draw() {
    const [left, top, right, bottom] = this.box();
    const places = this.ends.map(([x, y]) => [
      `${(100 * (x + 0.5 - left)) / (right - left)}%`,
      `${(100 * (y + 0.5 - top)) / (bottom - top)}%`,
    ]);
    const inside = ([x, y]) => x >= left - 1 && x <= right && y >= top - 1 && y <= bottom;
    for (const { lines, handles } of this.drawn) {
      for (const line of lines) {
        places.forEach(([x, y], end) => {
          line.setAttribute(`x${end + 1}`, x);
          line.setAttribute(`y${end + 1}`, y);
        });
      }
      handles.forEach((handle, end) => {
        [handle.style.left, handle.style.top] = places[end];
        handle.hidden = !inside(this.ends[end]);
      });
    }
  }
}
