"use strict";
// Pictures: sprite sheets decoded to gray series, a few screens kept.

const about = JSON.parse(document.getElementById("about").textContent);

/** Decode one sheet to bytes [frame][y * width + x]. */
async function decode(number, screen) {
  const picture = new Image();
  picture.src = "data:image/webp;base64," + document.getElementById(`picture-${number}`).textContent;
  await picture.decode();
  const { width, height, columns, frames } = screen;
  const canvas = new OffscreenCanvas(picture.width, picture.height);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(picture, 0, 0);
  const cine = [];
  for (let i = 0; i < frames; i++) {
    const [x, y] = [(i % columns) * width, Math.floor(i / columns) * height];
    const colours = context.getImageData(x, y, width, height).data;
    cine.push(Uint8Array.from({ length: width * height }, (_, p) => colours[4 * p]));
  }
  return cine;
}

const decoded = new Map();

/** Series of a screen as [{label, cine}], the reference first; decoded once, the last four are kept. */
function series(index) {
  if (!decoded.has(index)) {
    const screen = about.screens[index];
    const shown = Object.entries(screen.candidates);
    if (screen.reference !== null) shown.unshift(["Reference", screen.reference]);
    decoded.set(index, Promise.all(shown.map(async ([label, number]) => ({ label, cine: await decode(number, screen) }))));
    if (decoded.size > 4) decoded.delete(decoded.keys().next().value);
  }
  return decoded.get(index);
}
