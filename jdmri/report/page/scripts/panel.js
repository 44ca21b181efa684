// One picture of the player: a magnitude or an error, its x-t profile and its scale.

// `value` undoes the quantisation of a level, in % of the peak; `range` is what the palette spans.
const KINDS = {
  image: {
    palette: GRAY,
    value: (level) => (100 * data.headroom * level) / 255,
    range: ({ window, level }) => [level - window / 2, level + window / 2],
  },
  error: {
    palette: INFERNO,
    value: (level) => 100 * (level / 255) ** 2,
    range: ({ gain }) => [0, 100 / gain],
  },
};

class Panel {
  constructor(view, kind, { name, caption }, levels) {
    Object.assign(this, { view, name, levels, kind });
    this.values = Float32Array.from({ length: 256 }, (_, i) => KINDS[kind].value(i));
    const label = kind === "error" ? `error of ${name}` : name;
    this.canvas = element("canvas", { role: "img", "aria-label": `${label}, current frame` });
    this.profile = element("canvas", { role: "img", "aria-label": `${label}, x-t profile` });
    this.bar = element("canvas", { "aria-hidden": "true" });
    this.low = element("span");
    this.high = element("span");
    this.stage = element("div", { class: "stage" }, this.canvas);
    this.strip = element("div", { class: "strip xt" }, this.profile, element("i", { class: "cursor" }));
    this.title = element("b", {}, label);
    this.figure = element(
      "figure",
      { class: `panel ${kind}`, "data-panel": name },
      element("figcaption", {}, this.title, element("span", {}, kind === "error" ? "" : caption)),
      this.stage,
      this.strip,
      element("div", { class: "scale" }, this.low, this.bar, this.high),
    );
  }

  /** Show a frame, cropped to the box [left, top, right, bottom]. */
  drawFrame(frame, [left, top, right, bottom]) {
    const { height, width } = this.view;
    const words = new Uint32Array((right - left) * (bottom - top));
    let next = 0;
    for (let y = top; y < bottom; y++) {
      const row = (frame * height + y) * width;
      for (let x = left; x < right; x++) words[next++] = this.colours[this.levels[row + x]];
    }
    paint(this.canvas, words, right - left, bottom - top);
  }

  /** Take over window, level and gain: the colours of the levels, and the scale below the picture. */
  setColours(settings) {
    const { palette, range } = KINDS[this.kind];
    const [low, high] = range(settings);
    this.shade = (value) => colour(palette, (value - low) / (high - low));
    this.colours = Uint32Array.from(this.values, this.shade);
    this.low.textContent = `${round(low)}`;
    this.high.textContent = `${round(high)} %`;
    paint(this.bar, palette.slice(), 256, 1);
  }

  /** Show the levels along the line, point (down) by frame (across). */
  drawProfile(line) {
    const { frames } = this.view;
    const [from, to] = line.ends;
    const points = Math.round(line.length()) + 1;
    const words = new Uint32Array(points * frames);
    for (let i = 0; i < points; i++) {
      const share = points > 1 ? i / (points - 1) : 0;
      const x = from[0] + share * (to[0] - from[0]);
      const y = from[1] + share * (to[1] - from[1]);
      for (let t = 0; t < frames; t++) words[i * frames + t] = this.shade(this.sample(t, x, y));
    }
    paint(this.profile, words, frames, points);
  }

  /** Interpolate linearly between pixels; x and y are inside the picture. */
  sample(frame, x, y) {
    const { height, width } = this.view;
    const left = Math.floor(x);
    const top = Math.floor(y);
    const right = Math.min(left + 1, width - 1);
    const bottom = Math.min(top + 1, height - 1);
    const at = (row, column) => this.values[this.levels[(frame * height + row) * width + column]];
    const above = at(top, left) + (x - left) * (at(top, right) - at(top, left));
    const below = at(bottom, left) + (x - left) * (at(bottom, right) - at(bottom, left));
    return above + (y - top) * (below - above);
  }
}

const round = (value) => Math.round(10 * value) / 10;
