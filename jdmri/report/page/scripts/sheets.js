// Pictures inside the page, back to arrays of levels 0 … 255; palettes of 256 colours.

const word = (r, g, b) => ((255 << 24) | (b << 16) | (g << 8) | r) >>> 0; // bytes R, G, B, A
const GRAY = Uint32Array.from({ length: 256 }, (_, i) => word(i, i, i));
const INFERNO = Uint32Array.from(data.inferno, (rgb) => word(...rgb));

/** Decode a sheet of `count` tiles to a Uint8Array [count, height, width]. */
async function decode(uri, { count, columns, height, width }) {
  const image = new Image();
  image.src = uri;
  await image.decode();
  const canvas = element("canvas", { width: image.width, height: image.height });
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(image, 0, 0);
  const pixels = context.getImageData(0, 0, image.width, image.height).data;
  const levels = new Uint8Array(count * height * width);
  let next = 0;
  for (let i = 0; i < count; i++) {
    const left = (i % columns) * width;
    const top = Math.floor(i / columns) * height;
    for (let y = 0; y < height; y++) {
      const row = (top + y) * image.width + left;
      for (let x = 0; x < width; x++) levels[next++] = pixels[4 * (row + x)];
    }
  }
  return levels;
}

/** The colour of `fraction` of the palette's range. */
const colour = (palette, fraction) => palette[Math.round(255 * clamp(fraction, 0, 1))];
