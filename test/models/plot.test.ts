import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { describe, expect, test } from 'vitest';
import { Layer, layers, Model, Sequential } from '../../lib/index.js';
import type { Nest, SymbolicTensor, Tensor } from '../../lib/index.js';
import { plotModel, writePlot } from '../../lib/training/plot.js';
import { createModel } from '../../models/index.js';

/** Names of elements in the order they open; throws unless the text is XML whose elements nest and whose text is escaped. */
function elementsOf(xml: string): string[] {
  const open: string[] = [];
  const all: string[] = [];
  const token = /<(\/?)([a-z]+)((?:\s+[\w:-]+="[^"<&]*(?:&(?:amp|lt|gt|quot);[^"<&]*)*")*)\s*(\/?)>|([^<]+)/gy;
  let end = 0;
  for (const match of xml.matchAll(token)) {
    end = match.index + match[0].length;
    const [, closing, name, , selfClosing, text] = match;
    if (text !== undefined) expect(text).toMatch(/^(?:[^&<>]|&(?:amp|lt|gt|quot);)*$/);
    else if (closing) expect(open.pop()).toBe(name);
    else {
      all.push(name!);
      if (!selfClosing) open.push(name!);
    }
  }
  expect(end, `XML up to ${xml.slice(end, end + 80)}`).toBe(xml.length);
  expect(open).toEqual([]);
  return all;
}

/** Rectangles of the layers: left, top, width, height. */
function boxesOf(svg: string): number[][] {
  const pattern = /<g class="(?!model)\w+"><rect x="([\d.-]+)" y="([\d.-]+)" width="([\d.]+)" height="([\d.]+)"/g;
  return [...svg.matchAll(pattern)].map((match) => match.slice(1).map(Number));
}

function branches(): Model {
  const inputs = layers.input({ shape: [8, 8, 3], name: 'image' });
  const a = layers.conv2d({ filters: 4, kernelSize: 1, name: 'left' }).apply(inputs);
  const b = layers.maxPooling2d({ poolSize: 3, strides: 1, padding: 'same', name: 'right' }).apply(inputs);
  const c = layers.activation({ activation: 'relu', name: 'long' }).apply(a);
  return new Model({ inputs, outputs: layers.concatenate({ name: 'join' }).apply([c, b]), name: 'branches' });
}

describe('plotModel', () => {
  test('draws every layer, its kind and its shape, and every connection', () => {
    const svg = plotModel(branches());
    const elements = elementsOf(svg);
    expect(elements.filter((name) => name === 'path')).toHaveLength(5);
    expect(boxesOf(svg)).toHaveLength(5);
    for (const text of [
      'image',
      'left',
      'right',
      'long',
      'join',
      'Conv2D',
      'Concatenate',
      '[null,8,8,4]',
      '[null,8,8,7]',
    ]) {
      expect(svg).toContain(`>${text}</text>`);
    }
    expect(svg).toContain('class="convolution"');
  });

  test('leaves out what is not wanted', () => {
    const svg = plotModel(branches(), { showShapes: false, showLayerNames: false });
    elementsOf(svg);
    expect(svg).not.toContain('null');
    expect(svg).not.toContain('>left<');
    expect(svg).toContain('>Conv2D<');
  });

  test('equal models give equal pictures', () => {
    expect(plotModel(branches())).toBe(plotModel(branches()));
    expect(branches().plot({ showShapes: false })).toBe(plotModel(branches(), { showShapes: false }));
  });

  test.each(['googlenet', 'inception_v4', 'resnet152', 'densenet121', 'alexnet'])(
    '%s: no box lies on another',
    (name) => {
      const svg = plotModel(createModel(name));
      elementsOf(svg);
      const boxes = boxesOf(svg);
      expect(boxes.length).toBeGreaterThan(15);
      const [width, height] = /width="([\d.]+)" height="([\d.]+)"/.exec(svg)!.slice(1).map(Number) as [number, number];
      for (const top of new Set(boxes.map(([, y]) => y))) {
        const row = boxes.filter(([, y]) => y === top);
        row.sort((a, b) => a[0]! - b[0]!);
        for (const [i, [x, y, w, h]] of row.entries()) {
          expect(x!).toBeGreaterThanOrEqual(i === 0 ? 0 : row[i - 1]![0]! + row[i - 1]![2]! + 8);
          expect(x! + w!).toBeLessThanOrEqual(width);
          expect(y! + h!).toBeLessThanOrEqual(height);
        }
      }
    },
  );

  test('names are escaped', () => {
    const inputs = layers.input({ shape: [2], name: '<a & "b">' });
    const svg = plotModel(new Model({ inputs, outputs: layers.dense({ units: 1, name: 'x\u0001' }).apply(inputs) }));
    elementsOf(svg);
    expect(svg).toContain('&lt;a &amp; &quot;b&quot;&gt;');
    expect(svg).not.toContain('\u0001');
  });

  test('nested models are boxes, or are opened', () => {
    const inner = branches();
    const inputs = layers.input({ shape: [8, 8, 3], name: 'outer_image' });
    const uses = [inner.apply<SymbolicTensor>(inputs), inner.apply<SymbolicTensor>(inputs)];
    const twice = layers.add({ name: 'sum' }).apply<SymbolicTensor>(uses);
    const model = new Model({ inputs, outputs: twice, name: 'outer' });
    const closed = plotModel(model);
    expect(closed.match(/>branches</g)).toHaveLength(2);
    expect(closed).not.toContain('>left<');
    const opened = plotModel(model, { expandNested: true });
    elementsOf(opened);
    expect(opened.match(/>left</g)).toHaveLength(2);
    expect(opened.match(/class="model"/g)).toHaveLength(2);
    expect(opened).not.toContain('>image<');
  });

  test('a Sequential is a chain, also before it is built', () => {
    const model = new Sequential([layers.dense({ units: 2, name: 'one' }), layers.dense({ units: 1, name: 'two' })]);
    const svg = plotModel(model);
    expect(elementsOf(svg).filter((name) => name === 'path')).toHaveLength(1);
  });

  test('a subclassed layer shows what it is made of', () => {
    class Pair extends Layer {
      readonly first = layers.dense({ units: 2, name: 'first' });
      readonly second = layers.dense({ units: 2, name: 'second' });
      override call(x: Nest<Tensor>): Tensor {
        return this.second.apply(this.first.apply(x));
      }
    }
    const svg = plotModel(new Pair({ name: 'pair' }));
    elementsOf(svg);
    expect(svg).toContain('>second<');
  });
});

test('writePlot writes the picture', async () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'fovea-plot-'));
  try {
    const file = path.join(folder, 'deep', 'model.svg');
    await writePlot(branches(), file);
    expect(readFileSync(file, 'utf8')).toBe(plotModel(branches()));
  } finally {
    rmSync(folder, { recursive: true });
  }
});
