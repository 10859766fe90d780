import type { Layer } from '../layers/layer.js';
import { writeFileAtomic } from '../util/atomic-file.js';
import { boxesOf, type Box } from './plot-graph.js';
import { layoutGraph, type Layout } from './plot-layout.js';

/** What a picture of a model shows. */
export interface PlotOptions {
  /** The shape of every output. True unless told. */
  showShapes?: boolean | undefined;
  /** The layers' names, above their kinds. True unless told. */
  showLayerNames?: boolean | undefined;
  /** Opens the models in the model, each in a frame. False unless told. */
  expandNested?: boolean | undefined;
}

const ROW = 84;
const MARGIN = 24;
const LINE = 15;
/** Width of a character, generously: the picture does not know the reader's fonts. */
const CHARACTER = 7.2;

/** Colours by kind of layer: the first pattern that fits the class name. */
const KINDS: readonly (readonly [kind: string, pattern: RegExp, fill: string])[] = [
  ['input', /^Input/, '#e8eaed'],
  ['convolution', /Conv/, '#cfe2ff'],
  ['pooling', /Pool/, '#ffe0cc'],
  ['normalization', /Norm|Rescaling/, '#e3d7f5'],
  ['dense', /Dense/, '#cdebd3'],
  ['merge', /^(Add|Multiply|Concatenate|Subtract|Average|Maximum|Minimum|Dot)$/, '#fff1b8'],
  ['activation', /Activation|ReLU|Softmax|ELU/, '#fbd5dc'],
  ['other', /(?:)/, '#f4f4f4'],
];

/**
 * A picture of a model's layers as SVG: a row for every step from the inputs to the outputs. Equal models give equal
 * pictures, byte for byte.
 *
 * @example
 * await writeFile('resnet.svg', plotModel(createModel('resnet50')));
 */
export function plotModel(model: Layer, options: PlotOptions = {}): string {
  const { showShapes = true, showLayerNames = true, expandNested = false } = options;
  const boxes = boxesOf(model, expandNested);
  const texts = boxes.map(({ layer, shape }) => [
    ...(showLayerNames ? [layer.name] : []),
    layer.className,
    ...(showShapes && shape !== '' ? [shape] : []),
  ]);
  const widths = texts.map((lines) => Math.ceil(Math.max(...lines.map((line) => line.length)) * CHARACTER) + 16);
  const layout = layoutGraph(
    boxes.map(({ inputs, groups }, i) => ({ width: widths[i]!, inputs, key: groups.join('/') })),
  );
  const height = 10 + LINE * Math.max(1, ...texts.map((lines) => lines.length));
  const title = `${model.name}: ${model.className}`;
  const width = Math.max(layout.width, title.length * CHARACTER) + 2 * MARGIN;
  const top = MARGIN + 28;
  const frame: Frame = { layout, boxes, widths, height, top };
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${round(width)}" height="${round(top + layout.rows * ROW)}" ` +
      `viewBox="0 0 ${round(width)} ${round(top + layout.rows * ROW)}" role="img" font-family="sans-serif" font-size="12">`,
    `<title>${escapeXml(title)}</title>`,
    `<rect width="100%" height="100%" fill="#ffffff"/>`,
    `<text x="${MARGIN}" y="${MARGIN + 4}" font-size="14" font-weight="bold">${escapeXml(title)}</text>`,
    ...groupFrames(frame),
    ...layout.edges.map((edge) => edgePath(frame, edge)),
    ...boxes.map((box, i) => boxMarkup(frame, box, i, texts[i]!, showLayerNames)),
    '</svg>',
    '',
  ].join('\n');
}

/** Writes {@link plotModel}'s picture to a file. */
export async function writePlot(model: Layer, file: string, options: PlotOptions = {}): Promise<void> {
  await writeFileAtomic(file, plotModel(model, options));
}

interface Frame {
  readonly layout: Layout;
  readonly boxes: readonly Box[];
  readonly widths: readonly number[];
  readonly height: number;
  readonly top: number;
}

const round = (value: number): number => Math.round(value * 10) / 10;

/** Text as it may stand in XML; what XML has no way to write becomes a replacement character. */
function escapeXml(text: string): string {
  return text
    .replace(/[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, '\uFFFD')
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/>/g, '&gt;')
    .replace(/"/g, '&quot;');
}

function boxMarkup(
  { layout, widths, height, top }: Frame,
  { layer }: Box,
  i: number,
  lines: readonly string[],
  named: boolean,
): string {
  const { x, row } = layout.nodes[i]!;
  const [kind, , fill] = KINDS.find(([, pattern]) => pattern.test(layer.className))!;
  const left = round(MARGIN + x - widths[i]! / 2);
  const y = top + row * ROW;
  const text = lines.map((line, k) => {
    const weight = named && k === 0 ? ' font-weight="bold"' : '';
    const at = `x="${round(MARGIN + x)}" y="${y + 5 + LINE * (k + 0.75)}"`;
    return `<text ${at} text-anchor="middle"${weight}>${escapeXml(line)}</text>`;
  });
  const shape = `<rect x="${left}" y="${y}" width="${widths[i]}" height="${height}" rx="4" fill="${fill}" stroke="#5f6368"/>`;
  return `<g class="${kind}">${shape}${text.join('')}</g>`;
}

/** A line through all rows it crosses, straight across boxes' heights and bent between them. */
function edgePath({ layout, height, top }: Frame, { from, xs }: Layout['edges'][number]): string {
  const first = layout.nodes[from]!.row;
  const at = (k: number): string => String(round(MARGIN + xs[k]!));
  let path = `M${at(0)} ${top + first * ROW + height}`;
  for (let k = 1; k < xs.length; k++) {
    const [above, below] = [top + (first + k - 1) * ROW + height, top + (first + k) * ROW];
    const middle = (above + below) / 2;
    path += `C${at(k - 1)} ${middle} ${at(k)} ${middle} ${at(k)} ${below}`;
    if (k < xs.length - 1) path += `V${below + height}`;
  }
  return `<path d="${path}" fill="none" stroke="#5f6368"/>`;
}

/** A frame around the boxes of every nested model, outer ones first. */
function groupFrames({ layout, boxes, widths, height, top }: Frame): string[] {
  const frames = new Map<string, { depth: number; left: number; right: number; first: number; last: number }>();
  for (const [i, { groups }] of boxes.entries()) {
    const { x, row } = layout.nodes[i]!;
    for (const depth of groups.keys()) {
      const key = groups.slice(0, depth + 1).join('/');
      const frame = frames.get(key) ?? { depth, left: Infinity, right: -Infinity, first: row, last: row };
      frame.left = Math.min(frame.left, x - widths[i]! / 2);
      frame.right = Math.max(frame.right, x + widths[i]! / 2);
      frame.first = Math.min(frame.first, row);
      frame.last = Math.max(frame.last, row);
      frames.set(key, frame);
    }
  }
  return [...frames]
    .sort(([, a], [, b]) => a.depth - b.depth)
    .map(([key, { depth, left, right, first, last }]) => {
      const pad = Math.max(2, 12 - 3 * depth);
      const name = key.split('/').at(-1)!.replace(/#\d+$/, '');
      const [x, y] = [round(MARGIN + left - pad), top + first * ROW - pad - 6];
      const size = `width="${round(right - left + 2 * pad)}" height="${(last - first) * ROW + height + 2 * pad + 6}"`;
      return (
        `<g class="model"><rect x="${x}" y="${y}" ${size} rx="8" fill="#000000" fill-opacity="0.03" stroke="#9aa0a6" ` +
        `stroke-dasharray="4 3"/><text x="${x + 6}" y="${y + 11}" font-size="10" fill="#5f6368">${escapeXml(name)}</text></g>`
      );
    });
}
