// Pictures drawn by chance, as SVG: flowers of five kinds to tell apart, and shapes of ten other kinds to learn to see
// with. Colours, places, sizes, angles and backgrounds say nothing of the kind.

/** A generator of numbers in [0, 1), the same for the same seed (mulberry32). */
export function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

type Random = () => number;

/** Draws a kind around (0, 0), about as large as the circle of radius 40, in two colours. */
type Draw = (next: Random, colour: string, second: string) => string;

const between = (next: Random, low: number, high: number): number => low + (high - low) * next();

function colour(next: Random, lightness: readonly [number, number]): string {
  return `hsl(${Math.floor(360 * next())},${between(next, 40, 95).toFixed(0)}%,${between(next, ...lightness).toFixed(0)}%)`;
}

/** `count` copies of a drawing, turned around the middle. */
function around(count: number, drawing: string, from = 0): string {
  const turn = (i: number): string => `<g transform="rotate(${(from + (360 * i) / count).toFixed(1)})">${drawing}</g>`;
  return Array.from({ length: count }, (_, i) => turn(i)).join('');
}

const circle = (radius: number, style: string, x = 0, y = 0): string =>
  `<circle cx="${x.toFixed(1)}" cy="${y.toFixed(1)}" r="${radius.toFixed(1)}" ${style}/>`;

const path = (d: string, style: string): string => `<path d="${d}" ${style}/>`;

function polygon(corners: number, outer: number, inner: number, style: string): string {
  const points = Array.from({ length: 2 * corners }, (_, i) => {
    const [radius, angle] = [i % 2 === 0 ? outer : inner, (Math.PI * i) / corners];
    return `${(radius * Math.sin(angle)).toFixed(1)},${(-radius * Math.cos(angle)).toFixed(1)}`;
  });
  return `<polygon points="${points.join(' ')}" ${style}/>`;
}

/** The classes of the drawn flowers. */
export const FLOWERS: Readonly<Record<string, Draw>> = {
  // A few broad round petals around a small middle.
  buttercup: (next, a, b) =>
    around(5, `<ellipse cx="0" cy="-22" rx="${between(next, 12, 15).toFixed(1)}" ry="18" fill="${a}"/>`) +
    circle(between(next, 6, 9), `fill="${b}"`),
  // Many thin petals around a middle of medium size.
  daisy: (next, a, b) =>
    around(
      12 + Math.floor(5 * next()),
      `<ellipse cx="0" cy="-27" rx="${between(next, 2.5, 4).toFixed(1)}" ry="13" fill="${a}"/>`,
    ) + circle(between(next, 9, 12), `fill="${b}"`),
  // A ball of rays with heads.
  dandelion: (next, a, b) =>
    around(
      18 + Math.floor(8 * next()),
      `<line x1="0" y1="0" x2="0" y2="-34" stroke="${a}" stroke-width="1"/>${circle(2.4, `fill="${a}"`, 0, -36)}`,
    ) + circle(4, `fill="${b}"`),
  // Arcs wound into each other.
  rose: (next, a, b) => {
    const rings = [36, 28, 20, 12, 5].map((radius, i) => {
      const style = `fill="${i % 2 ? b : a}" stroke="black" stroke-opacity="0.35" stroke-width="1.5"`;
      return around(3, circle(0.62 * radius, style, 0, -0.42 * radius), 360 * next());
    });
    return rings.join('');
  },
  // A cup with three points on a stalk.
  tulip: (next, a, b) => {
    const w = between(next, 18, 24);
    const cup = `M ${-w} -32 Q ${-w - 4} 8 0 10 Q ${w + 4} 8 ${w} -32 L ${w / 2} -14 L 0 -36 L ${-w / 2} -14 Z`;
    return path('M 0 8 L 0 42', `stroke="${b}" stroke-width="4"`) + path(cup, `fill="${a}"`);
  },
};

const STROKE = 'fill="none" stroke-width="7"';

/** The classes of the shapes. */
export const SHAPES: Readonly<Record<string, Draw>> = {
  disc: (next, a) => circle(between(next, 20, 36), `fill="${a}"`),
  ring: (next, a) => circle(between(next, 22, 34), `${STROKE} stroke="${a}"`),
  rings: (_, a, b) =>
    [34, 22, 10].map((r, i) => circle(r, `fill="none" stroke-width="5" stroke="${i === 1 ? b : a}"`)).join(''),
  square: (next, a) => {
    const s = between(next, 20, 30);
    return `<rect x="${-s}" y="${-s}" width="${2 * s}" height="${2 * s}" fill="${a}"/>`;
  },
  triangle: (_, a) => polygon(3, 38, 19, `fill="${a}"`),
  star: (next, a) => polygon(5, 38, between(next, 13, 18), `fill="${a}"`),
  burst: (next, a) => polygon(11 + Math.floor(5 * next()), 38, between(next, 18, 26), `fill="${a}"`),
  cross: (next, a) => {
    const w = between(next, 8, 14);
    return around(4, `<rect x="${-w / 2}" y="-36" width="${w}" height="36" fill="${a}"/>`);
  },
  wheel: (next, a, b) =>
    around(6 + Math.floor(4 * next()), `<line x1="0" y1="0" x2="0" y2="-34" stroke="${a}" stroke-width="3"/>`) +
    circle(34, `fill="none" stroke="${b}" stroke-width="3"`),
  dots: (next, a) => around(5 + Math.floor(4 * next()), circle(between(next, 5, 8), `fill="${a}"`, 0, -28)),
};

/** A picture of a kind: background, clutter, the thing itself somewhere. */
export function drawPicture(draw: Draw, size: number, next: Random): string {
  const dark = next() < 0.5;
  const [back, front]: [readonly [number, number], readonly [number, number]] = dark
    ? [
        [8, 35],
        [55, 90],
      ]
    : [
        [70, 95],
        [15, 50],
      ];
  const gradient = `<linearGradient id="g" gradientTransform="rotate(${Math.floor(90 * next())})"><stop offset="0" stop-color="${colour(next, back)}"/><stop offset="1" stop-color="${colour(next, back)}"/></linearGradient>`;
  const clutter = Array.from({ length: 6 }, () => {
    const [x, y, w] = [between(next, -50, 50), between(next, -50, 50), between(next, 1, 4)];
    const line = `x1="${x.toFixed(1)}" y1="${y.toFixed(1)}" x2="${(x + between(next, -25, 25)).toFixed(1)}" y2="${(y + between(next, -25, 25)).toFixed(1)}"`;
    return `<line ${line} stroke="${colour(next, [20, 80])}" stroke-width="${w.toFixed(1)}" stroke-opacity="0.5"/>`;
  }).join('');
  const place = `translate(${between(next, -10, 10).toFixed(1)} ${between(next, -10, 10).toFixed(1)}) rotate(${Math.floor(360 * next())}) scale(${between(next, 0.6, 1.1).toFixed(2)} ${between(next, 0.6, 1.1).toFixed(2)})`;
  const thing = draw(next, colour(next, front), colour(next, front));
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="${size}" height="${size}" viewBox="-50 -50 100 100">` +
    `<defs>${gradient}</defs><rect x="-50" y="-50" width="100" height="100" fill="url(#g)"/>${clutter}` +
    `<g transform="${place}">${thing}</g></svg>`
  );
}
