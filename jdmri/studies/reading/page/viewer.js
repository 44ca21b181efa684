// The viewer: synchronised players with one window, one zoom, one frame.

const $ = (id) => document.getElementById(id);
const MONTAGE_FRAMES = 6;

const viewer = {
  screen: null, shown: [], tiles: [], frame: 0, playing: true, montage: false, last: 0,
  view: { zoom: 1, x: 0, y: 0 }, // x, y: shift in parts of a tile

  show(screen, shown) {
    Object.assign(this, { screen, shown, frame: Math.min(this.frame, screen.frames - 1), view: { zoom: 1, x: 0, y: 0 } });
    $("frame").max = screen.frames - 1;
    $("play").disabled = $("back").disabled = $("on").disabled = $("montage").disabled = screen.frames === 1;
    if (screen.frames === 1) this.montage = false;
    this.build();
  },

  build() {
    const offsets = this.montage ? spread(this.screen.frames) : [0];
    this.tiles = this.shown.flatMap((one) => offsets.map((offset) => tile(one, offset, this.screen)));
    $("tiles").replaceChildren(...this.tiles.map((t) => t.box));
    $("montage").setAttribute("aria-pressed", this.montage);
    $("montage").textContent = this.montage ? "Players" : "Montage";
    this.layOut(offsets.length);
    this.mark();
    this.move();
    this.draw();
  },

  /** Give every tile the same, largest possible size. */
  layOut(fixed) {
    const [width, height] = [$("tiles").clientWidth - 8, $("tiles").clientHeight - 8];
    const aspect = this.screen.width / this.screen.height;
    const size = (columns) => {
      const rows = Math.ceil(this.tiles.length / columns);
      return Math.min((width - 4 * (columns - 1)) / columns, ((height - 4 * (rows - 1)) / rows) * aspect);
    };
    const choices = fixed > 1 ? [fixed] : this.tiles.map((_, i) => i + 1);
    const best = choices.reduce((a, b) => (size(b) > size(a) + 1 ? b : a));
    $("tiles").style.gridTemplateColumns = `repeat(${best}, ${Math.floor(size(best))}px)`;
    for (const { box } of this.tiles) box.style.height = `${Math.floor(size(best) / aspect)}px`;
  },

  draw() {
    const { low, high } = grayWindow();
    const table = Uint8ClampedArray.from({ length: 256 }, (_, v) => {
      const percent = (v / 255) * about.headroom * 100;
      return (255 * (percent - low)) / (high - low);
    });
    for (const { cine, context, image, offset, note } of this.tiles) {
      const number = (this.frame + offset) % cine.length;
      const pixels = cine[number];
      for (let p = 0; p < pixels.length; p++) {
        image.data[4 * p] = image.data[4 * p + 1] = image.data[4 * p + 2] = table[pixels[p]];
      }
      context.putImageData(image, 0, 0);
      note.textContent = this.montage ? number + 1 : "";
    }
    $("frame").value = this.frame;
    $("frame-text").textContent = `${this.frame + 1} / ${this.screen.frames}`;
    $("speed-text").textContent = `${$("speed").value} /s`;
    $("width-text").textContent = `${$("width").value} %`;
    $("level-text").textContent = `${$("level").value} %`;
    $("play").textContent = this.playing ? "❚❚" : "▶";
  },

  move() {
    const { zoom, x, y } = this.view;
    for (const { context } of this.tiles) {
      context.canvas.style.transform = `translate(${100 * x}%, ${100 * y}%) scale(${zoom})`;
    }
  },

  /** Outline the tiles of the candidate that is being answered. */
  mark(letter = form.active.letter) {
    for (const { box, label } of this.tiles) box.classList.toggle("active", label === letter);
  },

  step(by) {
    this.playing = false;
    this.frame = (this.frame + by + this.screen.frames) % this.screen.frames;
    this.draw();
  },

  tick(now) {
    const period = 1000 / $("speed").value;
    if (this.playing && this.screen?.frames > 1 && now - this.last >= period) {
      // After a hidden tab or a slow draw it goes on from here; it does not catch up.
      this.last = now - this.last > 3 * period ? now : this.last + period;
      this.frame = (this.frame + 1) % this.screen.frames;
      this.draw();
    }
    requestAnimationFrame((next) => this.tick(next));
  },

  zoomAt(factor, u, v) {
    const zoom = Math.min(8, Math.max(1, this.view.zoom * factor));
    const gain = zoom / this.view.zoom;
    this.place(zoom, u - (u - this.view.x) * gain, v - (v - this.view.y) * gain);
  },

  place(zoom, x, y) {
    const most = (zoom - 1) / 2;
    const clamp = (value) => Math.min(most, Math.max(-most, value));
    this.view = { zoom, x: clamp(x), y: clamp(y) };
    this.move();
  },

  reset() {
    [$("width").value, $("level").value] = [100, 50];
    this.place(1, 0, 0);
    this.draw();
  },
};

/** Frames of a montage, evenly spread over the series. */
function spread(frames) {
  const count = Math.min(MONTAGE_FRAMES, frames);
  return Array.from({ length: count }, (_, i) => Math.round((i * frames) / count));
}

/** Limits of the gray window, in percent of the case's white. */
function grayWindow() {
  const [width, level] = [Number($("width").value), Number($("level").value)];
  return { low: level - width / 2, high: level + width / 2 };
}

function tile({ label, cine }, offset, { width, height }) {
  const box = element("figure", `tile ${label === "Reference" ? "reference" : ""}`);
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  const note = element("small");
  box.append(canvas, element("b", "", offset ? "" : label), note);
  box.style.margin = 0;
  const context = canvas.getContext("2d");
  const image = context.createImageData(width, height);
  image.data.fill(255);
  drag(box, label);
  return { box, label, cine, offset, note, context, image };
}

/** Wheel: zoom. Drag: move. Drag with the right button: window and level. Click: answer this one. */
function drag(box, label) {
  let start = null;
  box.addEventListener("wheel", (event) => {
    event.preventDefault();
    const frame = box.getBoundingClientRect();
    const [u, v] = [(event.clientX - frame.left) / frame.width - 0.5, (event.clientY - frame.top) / frame.height - 0.5];
    viewer.zoomAt(Math.exp(-0.0015 * event.deltaY), u, v);
  }, { passive: false });
  box.addEventListener("pointerdown", (event) => {
    box.setPointerCapture(event.pointerId);
    start = { x: event.clientX, y: event.clientY, view: viewer.view, width: +$("width").value, level: +$("level").value };
    if (label !== "Reference") form.activate(label);
  });
  box.addEventListener("pointermove", (event) => {
    if (!start) return;
    const [dx, dy] = [event.clientX - start.x, event.clientY - start.y];
    if (event.buttons & 2) {
      [$("width").value, $("level").value] = [start.width + dx / 4, start.level + dy / 4];
      viewer.draw();
    } else {
      viewer.place(start.view.zoom, start.view.x + dx / box.clientWidth, start.view.y + dy / box.clientHeight);
    }
  });
  for (const end of ["pointerup", "pointercancel"]) box.addEventListener(end, () => (start = null));
  box.addEventListener("contextmenu", (event) => event.preventDefault());
  box.addEventListener("dblclick", () => viewer.place(1, 0, 0));
}

function element(tag, className = "", text = "") {
  return Object.assign(document.createElement(tag), { className: className.trim(), textContent: text });
}
