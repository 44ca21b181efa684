// The data of the page, and small tools for its elements.

const data = JSON.parse(document.getElementById("data").textContent);

const find = (id) => document.getElementById(id);

/** Make an element; children may be elements or text, which is never read as HTML. */
function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

function button(text, pressed, onClick, attributes = {}) {
  const made = element("button", { type: "button", "aria-pressed": pressed, ...attributes }, text);
  made.addEventListener("click", onClick);
  return made;
}

const clamp = (value, low, high) => Math.max(low, Math.min(high, value));

/** Call `begin(event)` when a drag starts and `move(event, what begin returned)` while it lasts. */
function onDrag(target, begin, move) {
  target.addEventListener("pointerdown", (down) => {
    if (down.button !== 0) return;
    const start = begin(down);
    if (start === null) return;
    down.stopPropagation();
    target.setPointerCapture(down.pointerId);
    const moved = (event) => move(event, start);
    const stop = () => target.removeEventListener("pointermove", moved);
    target.addEventListener("pointermove", moved);
    for (const end of ["pointerup", "pointercancel"]) target.addEventListener(end, stop, { once: true });
    moved(down);
  });
}

/** Paint `width × height` colours (32-bit words) on a canvas. */
function paint(canvas, words, width, height) {
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
  const bytes = new Uint8ClampedArray(words.buffer, 0, 4 * width * height);
  canvas.getContext("2d").putImageData(new ImageData(bytes, width, height), 0, 0);
}
