import * as ops from '../../ops/index.js';
import type { Tensor } from '../../tensor/tensor.js';
import { finiteNumber, wholeNumber } from '../arguments.js';
import type { LayerConfig } from '../registry.js';
import { rotation, shear, translation } from './affine-maps.js';
import { ColorLayer, type ColorOptions } from './color-layer.js';
import { wholeBelow } from './pixels.js';

export interface RandAugmentOptions extends ColorOptions {
  /** How many changes each image gets, one after the other. 2 by default. */
  numOps?: number | undefined;
  /** How strong they may be, from 0 to 1. 0.5 by default. */
  factor?: number | undefined;
}

/** Grey of ITU-R BT.601. */
const LUMA = [0.299, 0.587, 0.114] as const;

/**
 * Each image gets `numOps` of the changes below, each drawn for it alone with a strength up to `factor` (Cubuk et al. 2019,
 * "RandAugment", arXiv:1909.13719): shear, translation, rotation (with the border reflected), brightness, contrast,
 * colour, posterization, solarization, auto-contrast, nothing. Keras 3 draws one change for a batch, and has sharpness and
 * equalization besides.
 */
export class RandAugment extends ColorLayer {
  static readonly className: string = 'RandAugment';
  readonly numOps: number;
  readonly factor: number;

  constructor(options: RandAugmentOptions = {}) {
    super(options, ['numOps', 'factor']);
    this.numOps = wholeNumber(this, 'numOps', options.numOps ?? 2, 0);
    this.factor = finiteNumber(this, 'factor', options.factor ?? 0.5, { least: 0, most: 1 });
  }

  protected override augment(images: Tensor): Tensor {
    const [black, white] = this.valueRange;
    // The changes are written for values from 0 to 1.
    let x = ops.div(ops.sub(ops.clip(images, black, white), black), white - black);
    for (let i = 0; i < this.numOps; i++) x = this.#step(x);
    return ops.add(ops.mul(x, white - black), black);
  }

  #step(x: Tensor): Tensor {
    const strength = this.draw(x, [-this.factor, this.factor]);
    const [moves, colors] = [movesOf(x, strength), colorsOf(x, strength)];
    const choice = wholeBelow(this.draw(x, [0, 1]), moves.length + colors.length + 1);
    const chosen = (i: number): Tensor => ops.equal(choice, i);
    const [first, ...rest] = colors.map((change) => ops.clip(change, 0, 1));
    let y = ops.select(chosen(0), first!, x);
    rest.forEach((change, i) => (y = ops.select(chosen(i + 1), change, y)));
    // All moves are one map, the identity where none was drawn.
    const flat = (t: Tensor): Tensor => t.reshape([x.shape[0]!, 1]);
    let map = rotation(ops.mul(strength, 0), x.shape[1]!, x.shape[2]!);
    moves.forEach((move, i) => (map = ops.select(flat(chosen(colors.length + i)), move, map)));
    return ops.affineTransform(y, map, { fillMode: 'reflect' });
  }

  override getConfig(): LayerConfig {
    return { ...super.getConfig(), numOps: this.numOps, factor: this.factor };
  }
}

/** Maps by strengths from -1 to 1. */
function movesOf(x: Tensor, strength: Tensor): Tensor[] {
  const [, h, w] = x.shape as [number, number, number, number];
  const none = ops.mul(strength, 0);
  return [
    shear(strength, none),
    shear(none, strength),
    translation(ops.mul(strength, w), none),
    translation(none, ops.mul(strength, h)),
    rotation(ops.mul(strength, 2 * Math.PI), h, w),
  ];
}

/** Images of other colours, values from 0 to 1. */
function colorsOf(x: Tensor, strength: Tensor): Tensor[] {
  const amount = ops.abs(strength);
  const mean = ops.mean(x, { axes: [1, 2], keepDims: true });
  const around = (centre: Tensor): Tensor => ops.add(ops.mul(ops.sub(x, centre), ops.add(1, strength)), centre);
  // 8 bits down to 1.
  const levels = ops.pow(2, ops.round(ops.sub(8, ops.mul(amount, 7))));
  const steps = ops.minimum(ops.floor(ops.mul(x, levels)), ops.sub(levels, 1));
  const [low, high] = [ops.min(x, { axes: [1, 2], keepDims: true }), ops.max(x, { axes: [1, 2], keepDims: true })];
  const span = ops.sub(high, low);
  return [
    ops.add(x, strength),
    around(mean),
    around(greyOf(x)),
    ops.div(steps, ops.maximum(ops.sub(levels, 1), 1)),
    ops.select(ops.greater(x, ops.sub(1, amount)), ops.sub(1, x), x),
    ops.select(ops.greater(span, 0), ops.div(ops.sub(x, low), ops.maximum(span, 1e-6)), x),
  ];
}

/** [n, h, w, 1]; images of other than three channels have no colour to lose. */
function greyOf(x: Tensor): Tensor {
  if (x.shape[3] !== 3) return ops.mean(x, { axes: -1, keepDims: true });
  const [n, h, w] = x.shape as [number, number, number, number];
  const channel = (c: number): Tensor => ops.mul(ops.slice(x, [0, 0, 0, c], [n, h, w, 1]), LUMA[c]!);
  return ops.add(ops.add(channel(0), channel(1)), channel(2));
}
