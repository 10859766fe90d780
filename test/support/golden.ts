import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { expect } from 'vitest';
import type { FillSpec } from './fill.js';

const FOLDER = new URL('../golden/', import.meta.url);

/** An expected tensor in full. */
export interface FullTensor {
  readonly shape: readonly number[];
  readonly values: readonly number[];
}

/** An expected tensor of more than 4096 numbers: both ends, sum, Euclidean norm, and values at some flat indices. */
export interface SampledTensor {
  readonly shape: readonly number[];
  readonly first: readonly number[];
  readonly last: readonly number[];
  readonly sum: number;
  readonly l2: number;
  readonly indices: readonly number[];
  readonly at: readonly number[];
}

export type ExpectedTensor = FullTensor | SampledTensor;

/** Named values inside a network: moments, the first eight numbers, and numbers at eight flat indices. */
export interface Tap {
  readonly name: string;
  readonly shape: readonly number[];
  readonly mean: number;
  /** Population standard deviation. */
  readonly std: number;
  readonly first: readonly number[];
  readonly indices: readonly number[];
  readonly at: readonly number[];
}

/** One case of ops.json.gz. */
export interface OpCase {
  readonly id: string;
  readonly op: string;
  readonly attrs: Readonly<Record<string, unknown>>;
  readonly precision: 'float64' | 'float32';
  /** In argument order. */
  readonly inputs: Readonly<Record<string, FillSpec>>;
  /** The gradient that arrives at y. */
  readonly upstream: FillSpec;
  /** `y`, `d_<input>` of each differentiable input, and `new_moving_*` of batch norm. */
  readonly expected: Readonly<Record<string, ExpectedTensor>>;
}

export interface OpCases {
  readonly cases: readonly OpCase[];
}

/** How near is near enough: the larger of `relative` times the largest expected magnitude and `absolute`. */
export interface Tolerance {
  readonly relative?: number;
  readonly absolute?: number;
  /** Names the tensor in failures: `conv2d/k1 d_x`. */
  readonly label?: string;
}

const cache = new Map<string, unknown>();

/**
 * Reads a fixture of test/golden: `ops.json.gz`, `schedules.json`, `models-keras/…json`. The caller says what it holds.
 * Files are parsed once; treat the result as constant.
 */
export function readGolden<T>(name: string): T {
  if (!cache.has(name)) {
    const bytes = readFileSync(new URL(name, FOLDER));
    cache.set(name, JSON.parse((name.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8')));
  }
  return cache.get(name) as T;
}

/** Whether a spec of expected values holds all of them. */
export function isFull(tensor: ExpectedTensor): tensor is FullTensor {
  return 'values' in tensor;
}

/** The largest magnitude among the finite numbers of a list. */
export function largestMagnitude(values: ArrayLike<number>): number {
  let largest = 0;
  for (let i = 0; i < values.length; i++) {
    const magnitude = Math.abs(values[i]!);
    if (magnitude > largest && magnitude < Infinity) largest = magnitude;
  }
  return largest;
}

/** The README's advice for ops: 1e-5 of the largest magnitude, at least 1e-6; 1e-4 for the large mean. */
export function opTolerance(id: string): { relative: number; absolute: number } {
  return { relative: id === 'batch_norm/train_large_mean' ? 1e-4 : 1e-5, absolute: 1e-6 };
}

/**
 * Expects values to be near those of a fixture, in either of its forms, and the shape to be the same.
 *
 * @param actual - row-major
 * @param shape - the shape of `actual`
 * @param expected - in full, or as first/last/sum/l2/indices/at
 * @param tolerance - see {@link Tolerance}; 1e-5 relative and 1e-6 absolute when left out
 */
export function expectTensorClose(
  actual: ArrayLike<number>,
  shape: readonly number[],
  expected: ExpectedTensor,
  { relative = 1e-5, absolute = 1e-6, label = 'tensor' }: Tolerance = {},
): void {
  expect(shape, `${label}: shape`).toEqual(expected.shape);
  const size = shape.reduce((product, d) => product * d, 1);
  expect(actual.length, `${label}: elements`).toBe(size);
  if (isFull(expected)) {
    const allowed = Math.max(absolute, relative * largestMagnitude(expected.values));
    compare(actual, range(size), expected.values, allowed, label);
    return;
  }
  // All of the tensor gives the scale: the samples may have missed its largest number.
  const allowed = Math.max(absolute, relative * largestMagnitude(actual));
  compare(actual, range(expected.first.length), expected.first, allowed, `${label} (first)`);
  compare(actual, range(expected.last.length, size - expected.last.length), expected.last, allowed, `${label} (last)`);
  compare(actual, expected.indices, expected.at, allowed, `${label} (samples)`);
  let sum = 0;
  let squares = 0;
  for (let i = 0; i < size; i++) {
    sum += actual[i]!;
    squares += actual[i]! ** 2;
  }
  const l2 = Math.sqrt(squares);
  // Independent errors of `allowed` each add up to sqrt(size) times that; a bias common to all would show above.
  compareNumber(sum, expected.sum, allowed * Math.sqrt(size), `${label}: sum`);
  compareNumber(l2, expected.l2, Math.max(absolute, relative * expected.l2), `${label}: l2`);
}

/** Expects the values of a layer (NHWC) to be near a tap: 1e-4 of the largest magnitude, at least 1e-5. */
export function expectTapClose(
  actual: ArrayLike<number>,
  shape: readonly number[],
  tap: Tap,
  { relative = 1e-4, absolute = 1e-5, label = tap.name }: Tolerance = {},
): void {
  expect(shape, `${label}: shape`).toEqual(tap.shape);
  const size = actual.length;
  const allowed = Math.max(absolute, relative * largestMagnitude(actual));
  compare(actual, range(tap.first.length), tap.first, allowed, `${label} (first)`);
  compare(actual, tap.indices, tap.at, allowed, `${label} (samples)`);
  let sum = 0;
  for (let i = 0; i < size; i++) sum += actual[i]!;
  const mean = sum / size;
  let squares = 0;
  for (let i = 0; i < size; i++) squares += (actual[i]! - mean) ** 2;
  compareNumber(mean, tap.mean, allowed, `${label}: mean`);
  compareNumber(Math.sqrt(squares / size), tap.std, allowed, `${label}: std`);
}

function range(count: number, start = 0): number[] {
  return Array.from({ length: count }, (_, i) => start + i);
}

/** Whether two numbers are within `allowed`, or the same infinity, or both NaN. */
function near(actual: number, expected: number, allowed: number): boolean {
  return Object.is(actual, expected) || Math.abs(actual - expected) <= allowed;
}

function compareNumber(actual: number, expected: number, allowed: number, label: string): void {
  if (near(actual, expected, allowed)) return;
  expect.fail(`${label}: expected ${expected}, received ${actual} (difference ${actual - expected} > ${allowed})`);
}

function compare(
  actual: ArrayLike<number>,
  indices: readonly number[],
  expected: readonly number[],
  allowed: number,
  label: string,
): void {
  let wrong = 0;
  let worst = { index: -1, difference: -1 };
  for (const [k, index] of indices.entries()) {
    if (near(actual[index]!, expected[k]!, allowed)) continue;
    wrong++;
    const difference = Math.abs(actual[index]! - expected[k]!);
    if (worst.index < 0 || !(difference <= worst.difference)) worst = { index: k, difference };
  }
  if (wrong === 0) return;
  const k = worst.index;
  expect.fail(
    `${label}: ${wrong} of ${indices.length} differ by more than ${allowed}; worst at ${indices[k]}: ` +
      `expected ${expected[k]}, received ${actual[indices[k]!]}`,
  );
}
