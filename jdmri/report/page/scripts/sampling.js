// What was sampled, and the error in k-space: the mask of the frame, and pictures ky-t.

/** A picture with a title; those over time get the cursor of the current frame. */
function strip(title, caption, overTime) {
  const canvas = element("canvas", { role: "img", "aria-label": `${title} ${caption}` });
  const frame = element("div", { class: "strip" }, canvas);
  if (overTime) frame.append(element("i", { class: "cursor" }));
  const axes = overTime ? "ky ↓  frame →" : "ky ↓  kx →";
  const figure = element(
    "figure",
    { class: "panel" },
    element("figcaption", {}, element("b", {}, title), element("span", {}, caption)),
    frame,
    element("div", { class: "scale" }, element("span", {}, axes)),
  );
  return { canvas, figure, scale: figure.lastChild };
}

class Sampling {
  constructor(view, mask, residuals) {
    Object.assign(this, { view, mask });
    this.current = strip("mask, this frame", view.mask.sampled, false);
    const all = strip("mask, all frames", "line at the current frame", true);
    this.drawLines(all);
    this.strips = [this.current, all, ...residuals.map((levels, i) => this.residual(i, levels))];
    this.current.scale.append(element("span", {}, "white: sampled"));
  }

  drawFrame(frame) {
    const { height, width } = this.view.mask;
    const size = height * width;
    const words = Uint32Array.from(this.mask.subarray(frame * size, (frame + 1) * size), (v) => GRAY[v]);
    paint(this.current.canvas, words, width, height);
  }

  /** Show the sampled share of each line ky in each frame. */
  drawLines({ canvas, scale }) {
    const { height, width } = this.view.mask;
    const { frames } = this.view;
    const words = new Uint32Array(height * frames);
    for (let t = 0; t < frames; t++) {
      for (let ky = 0; ky < height; ky++) {
        const row = (t * height + ky) * width;
        const sum = this.mask.subarray(row, row + width).reduce((total, v) => total + v, 0);
        words[ky * frames + t] = GRAY[Math.round(sum / width)];
      }
    }
    paint(canvas, words, frames, height);
    scale.append(element("span", {}, width > 1 ? "white: whole line" : "white: sampled"));
  }

  residual(index, levels) {
    const made = strip("k-space error", this.view.residual[index].name, true);
    const words = Uint32Array.from(levels, (level) => INFERNO[level]);
    paint(made.canvas, words, this.view.frames, this.view.mask.height);
    const bar = element("canvas", { "aria-hidden": "true" });
    paint(bar, INFERNO.slice(), 256, 1);
    made.scale.replaceChildren(element("span", {}, `−${-data.floor}`), bar, element("span", {}, "0 dB"));
    return made;
  }
}
