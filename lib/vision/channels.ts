/** How decoded pixels are stored: grey, grey and alpha, RGB, RGB and alpha; or amounts of ink. */
export type StoredChannels = 1 | 2 | 3 | 4 | 'cmyk';

/** a * b / 255, rounded, as Pillow computes it. */
function product(a: number, b: number): number {
  const t = a * b + 128;
  return ((t >> 8) + t) >> 8;
}

/** Grey of ITU-R BT.601, rounded as Pillow does. */
function luma(r: number, g: number, b: number): number {
  return (r * 19595 + g * 38470 + b * 7471 + 32768) >> 16;
}

/** Pillow's conversion of inks: no colour management, black takes from each of the others. */
function fromInks(inks: Uint8Array): Uint8Array {
  const out = new Uint8Array((inks.length / 4) * 3);
  for (let from = 0, to = 0; from < inks.length; from += 4, to += 3) {
    const light = 255 - inks[from + 3]!;
    for (let c = 0; c < 3; c++) out[to + c] = Math.max(0, light - product(inks[from + c]!, light));
  }
  return out;
}

/**
 * Bytes with another number of channels: grey is Pillow's, alpha is dropped or 255.
 *
 * @param data - [pixels, channels], row-major; may be returned as it is
 */
export function toChannels(data: Uint8Array, stored: StoredChannels, channels: 1 | 3 | 4): Uint8Array {
  if (stored === 'cmyk') return toChannels(fromInks(data), 3, channels);
  if (stored === channels) return data;
  const coloured = stored >= 3;
  const count = data.length / stored;
  const out = new Uint8Array(count * channels);
  for (let i = 0, from = 0, to = 0; i < count; i++, from += stored, to += channels) {
    const r = data[from]!;
    const g = coloured ? data[from + 1]! : r;
    const b = coloured ? data[from + 2]! : r;
    if (channels === 1) {
      out[to] = coloured ? luma(r, g, b) : r;
      continue;
    }
    out[to] = r;
    out[to + 1] = g;
    out[to + 2] = b;
    if (channels === 4) out[to + 3] = stored === 2 || stored === 4 ? data[from + stored - 1]! : 255;
  }
  return out;
}
