import * as ops from '../../ops/index.js';
import type { Tensor } from '../../tensor/tensor.js';
import { wrongArgument, type Owner } from '../arguments.js';
import type { LayerConfig } from '../registry.js';
import { AugmentationLayer, type AugmentationOptions } from './augmentation-layer.js';

export interface ColorOptions extends AugmentationOptions {
  /** Black and white. `[0, 255]` by default. */
  valueRange?: readonly [number, number] | undefined;
}

/** Reads black and white of images, `[0, 255]` by default. */
function readRange(owner: Owner, value: unknown): readonly [number, number] {
  if (value === undefined || value === null) return [0, 255];
  const pair = value as readonly unknown[];
  const fits = Array.isArray(value) && pair.length === 2 && pair.every((v) => Number.isFinite(v));
  if (fits && (pair[0] as number) < (pair[1] as number)) return [pair[0] as number, pair[1] as number];
  throw wrongArgument(owner, 'valueRange', 'two numbers, the smaller first', value);
}

/** A layer that needs to know what is black and what is white. */
export abstract class ColorLayer extends AugmentationLayer {
  readonly valueRange: readonly [number, number];

  constructor(options: ColorOptions, keys: readonly string[]) {
    super(options, [...keys, 'valueRange']);
    this.valueRange = readRange(this, options.valueRange);
  }

  /** Values held between black and white. */
  protected clipped(images: Tensor): Tensor {
    return ops.clip(images, ...this.valueRange);
  }

  override getConfig(): LayerConfig {
    return { ...super.getConfig(), valueRange: this.valueRange };
  }
}
