import { mismatch } from '../errors.js';
import type { Activation, PlanMemory } from '../graph/plan-memory.js';
import { formatSymbolicShape, type SymbolicShape } from '../layers/symbolic.js';
import { zeros } from '../tensor/create.js';
import { bytesPerElement, type DType } from '../tensor/dtype.js';
import type { Shape } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Model } from './model.js';
import { namesOf } from './model-inputs.js';
import { predictStep } from './trainer-evaluate.js';
import { compiledOf } from './trainer-state.js';
import type { TensorTree } from './trainer-types.js';

export interface MemoryReportOptions {
  /** Examples of a batch. 1 unless given. */
  batchSize?: number | undefined;
  /** Shapes of the inputs without the batch, in their order, where the model leaves sizes open. */
  inputShapes?: readonly Shape[] | undefined;
  /** Whether a training step is planned instead of a prediction; after `compile`. False unless told. */
  training?: boolean | undefined;
  /**
   * For training, shapes of the targets without the batch, one for each output. Unless given: `[]` (class numbers) where
   * the loss is a sparse one, else the output's shape.
   */
  targetShapes?: readonly Shape[] | undefined;
  /** Takes each line. `console.log` unless given. */
  printFn?: ((line: string) => void) | undefined;
}

/** What one batch takes on the current device, in bytes. */
export interface MemoryReport extends PlanMemory {
  readonly batchSize: number;
  readonly training: boolean;
  /** Bytes of `largestPair` together. */
  readonly largestPairBytes: number;
  /** Weights, trained or not. */
  readonly weightBytes: number;
  /** What the optimizer keeps, such as momenta. 0 for a prediction. */
  readonly optimizerBytes: number;
  readonly inputBytes: number;
  /** Arena, workspace, prepared values, weights, optimizer and inputs together. */
  readonly totalBytes: number;
}

/**
 * Plans a prediction or a training step for a batch and says what memory it takes. Nothing is computed, but the plan is
 * kept: the first batch of that shape finds it ready. All plans share one arena and one workspace, each as large as the
 * largest needs, so several reports do not add up.
 *
 * @throws FoveaError ERR_ARGUMENT for a batch size that is none, ERR_SHAPE when the size of an input is not known; for
 *   training, when the model was not compiled
 */
export function memoryReport(model: Model, options: MemoryReportOptions = {}): MemoryReport {
  const { batchSize = 1, training = false, printFn = console.log } = options;
  if (!Number.isSafeInteger(batchSize) || batchSize < 1) {
    throw mismatch('ERR_ARGUMENT', where(model), 'batchSize to be a whole number of at least 1', String(batchSize));
  }
  const inputs = placeholders(model, batchSize, options.inputShapes);
  const memory = training ? trainingMemory(model, inputs, options.targetShapes) : predictionMemory(model, inputs);
  const optimizer = training ? (model.optimizer?.variables ?? []) : [];
  const report: Omit<MemoryReport, 'totalBytes'> = {
    batchSize,
    training,
    ...memory,
    largestPairBytes: (memory.largestPair ?? []).reduce((sum, { bytes }) => sum + bytes, 0),
    weightBytes: bytesOf(model.weights),
    optimizerBytes: bytesOf(optimizer),
    inputBytes: bytesOf(inputs),
  };
  const { arenaBytes, workspaceBytes, preparedBytes, weightBytes, optimizerBytes, inputBytes } = report;
  const parts = [arenaBytes, workspaceBytes, preparedBytes, weightBytes, optimizerBytes, inputBytes];
  const whole = { ...report, totalBytes: parts.reduce((sum, bytes) => sum + bytes, 0) };
  linesOf(model, whole).forEach((line) => printFn(line));
  return whole;
}

const where = (model: Model): { op: string; layer: string } => ({ op: 'memoryReport', layer: model.name });

/** Inputs of zeros; as nobody reads them, they take no memory. */
function placeholders(model: Model, batchSize: number, given: readonly Shape[] | undefined): Tensor[] {
  const declared = model.inputs.length > 0 ? model.inputs.map(({ shape }) => shape) : model.buildShapes;
  const shapes: readonly SymbolicShape[] | undefined = given ?? declared?.map((shape) => shape.slice(1));
  if (shapes === undefined || shapes.some((shape) => shape.includes(null))) {
    const received = shapes === undefined ? 'none' : shapes.map(formatSymbolicShape).join(', ');
    throw mismatch('ERR_SHAPE', where(model), 'inputShapes of known sizes', received);
  }
  return shapes.map((shape, i) => {
    const dtype = model.inputs[i]?.dtype ?? 'float32';
    return zeros([batchSize, ...(shape as Shape)], { dtype });
  });
}

/** The inputs as `predict` and `fit` would be given them: alone, or by name. */
function treeOf(model: Model, inputs: readonly Tensor[]): TensorTree {
  if (inputs.length === 1) return inputs[0]!;
  const { graph } = model;
  return graph ? Object.fromEntries(namesOf(graph.inputs).map((name, i) => [name, inputs[i]!])) : [...inputs];
}

function predictionMemory(model: Model, inputs: readonly Tensor[]): PlanMemory {
  return predictStep(model).memory(treeOf(model, inputs));
}

function trainingMemory(model: Model, inputs: readonly Tensor[], given: readonly Shape[] | undefined): PlanMemory {
  const compiled = compiledOf(model, 'memoryReport');
  const shapes = model.outputs.map(({ shape }) => shape.slice(1));
  const names = model.outputNames ?? [];
  const count = given?.length ?? shapes.length;
  if (count === 0) throw mismatch('ERR_ARGUMENT', where(model), 'targetShapes, as the outputs are not known', 'none');
  const targets = Array.from({ length: count }, (_, i) => {
    const sparse = compiled.takesClassNumbers({ index: i, name: names[i] ?? '' }, count);
    const shape: SymbolicShape = given?.[i] ?? (sparse ? [] : shapes[i]!);
    if (shape.includes(null)) {
      throw mismatch('ERR_SHAPE', where(model), 'targetShapes of known sizes', formatSymbolicShape(shape));
    }
    const dtype: DType = sparse ? 'int32' : 'float32';
    return zeros([inputs[0]!.shape[0]!, ...(shape as Shape)], { dtype });
  });
  return compiled.trainingMemory(treeOf(model, inputs), targets.length === 1 ? targets[0]! : targets);
}

function bytesOf(values: readonly { readonly size: number; readonly dtype: DType }[]): number {
  return values.reduce((sum, { size, dtype }) => sum + size * bytesPerElement(dtype), 0);
}

function linesOf(model: Model, report: MemoryReport): string[] {
  const rows: [string, number, string?][] = [
    ['arena', report.arenaBytes, 'values between input and output'],
    ['workspace', report.workspaceBytes, 'scratch of the kernels'],
    ['prepared weights', report.preparedBytes, 'folded, packed or converted once'],
    ['weights', report.weightBytes],
    ['optimizer', report.optimizerBytes],
    ['inputs', report.inputBytes],
    ['total', report.totalBytes],
    ['largest two consecutive', report.largestPairBytes, (report.largestPair ?? []).map(activationText).join(' -> ')],
  ];
  const title = `Memory of ${report.training ? 'a training step' : 'a prediction'}, "${model.name}", batch of ${report.batchSize}`;
  const amounts = rows.map(([, bytes]) => `${(bytes / 1e6).toFixed(2)} MB`);
  const width = Math.max(...amounts.map((text) => text.length));
  const names = Math.max(...rows.map(([name]) => name.length));
  return [
    title,
    ...rows.map(([name, , note], i) =>
      `  ${name.padEnd(names)}  ${amounts[i]!.padStart(width)}  ${note ?? ''}`.trimEnd(),
    ),
  ];
}

function activationText({ layer, shape, dtype }: Activation): string {
  return `${layer || 'input'} [${shape.join(', ')}]${dtype === 'float32' ? '' : ` ${dtype}`}`;
}
