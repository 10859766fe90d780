import type { Attributes, PlanDescription, StepProfile } from '../backends/backend.js';
import { sizeOf } from '../tensor/shape.js';

/** Multiplications and additions of each step of a plan, from its shapes; elementwise instructions count one each. */
export function planFlops(plan: PlanDescription): number[] {
  const shapeOf = (slot: number): readonly number[] => plan.slots[slot]!.shape;
  return plan.steps.map(({ kernel, attributes, inputs, outputs }) => {
    const [first, second] = inputs.map(shapeOf);
    const out = outputs.map(shapeOf);
    switch (kernel) {
      case 'conv2d':
        return 2 * sizeOf(out[0]!) * sizeOf(second!.slice(0, 3));
      case 'conv2dBackwardInput':
        return 2 * sizeOf(first!) * sizeOf(second!.slice(0, 3));
      case 'conv2dBackwardKernel':
        return 2 * sizeOf(second!) * sizeOf(out[0]!.slice(0, 3));
      case 'matmul':
        return 2 * sizeOf(out[0]!) * first!.at(attributes['transposeA'] ? -2 : -1)!;
      case 'elementwise':
        return sizeOf(out[0]!) * arithmetic(attributes);
      case 'elementwiseGroup': {
        const outputs = (attributes['results'] as readonly number[]).length; // of a group, all of one shape
        return out.reduce((sum, shape, i) => sum + (i % outputs === 0 ? sizeOf(shape) : 0), 0) * arithmetic(attributes);
      }
      case 'maxPool2d':
      case 'avgPool2d':
        return sizeOf(out[0]!) * sizeOf(attributes['poolSize'] as readonly number[]);
      default:
        return sizeOf(first ?? []);
    }
  });
}

/** The instructions of a program that compute something. */
function arithmetic(attributes: Attributes): number {
  return (attributes['opcodes'] as readonly string[]).filter((o) => o !== 'const' && o !== 'identity').length;
}

/** Of several profiles of one plan, each step's fastest run: other work on the machine does not count. */
export function fastestSteps(runs: readonly (readonly StepProfile[])[]): StepProfile[] {
  return runs[0]!.map((step, i) => ({ ...step, milliseconds: Math.min(...runs.map((run) => run[i]!.milliseconds)) }));
}

interface Line {
  label: string;
  count: number;
  milliseconds: number;
  flops: number;
  bytes: number;
}

const HEADS = ['', 'calls', 'ms', 'share', 'GFLOP/s', 'GB/s'] as const;

/** Sums of the steps with the same label, slowest first. */
function grouped(steps: readonly StepProfile[], labelOf: (step: StepProfile) => string): Line[] {
  const lines = new Map<string, Line>();
  for (const step of steps) {
    const label = labelOf(step);
    let line = lines.get(label);
    if (!line) lines.set(label, (line = { label, count: 0, milliseconds: 0, flops: 0, bytes: 0 }));
    line.count++;
    line.milliseconds += step.milliseconds;
    line.flops += step.flops ?? 0;
    line.bytes += step.bytes;
  }
  return [...lines.values()].sort((a, b) => b.milliseconds - a.milliseconds);
}

function formatted(title: string, lines: readonly Line[], total: number): string {
  const perMs = (amount: number, line: Line): string =>
    line.milliseconds > 0 ? (amount / line.milliseconds / 1e6).toFixed(1) : '-';
  const rows = lines.map((line) => [
    line.label,
    String(line.count),
    line.milliseconds.toFixed(3),
    `${total > 0 ? ((100 * line.milliseconds) / total).toFixed(1) : '0.0'}%`,
    line.flops > 0 ? perMs(line.flops, line) : '-',
    perMs(line.bytes, line),
  ]);
  const table = [[title, ...HEADS.slice(1)], ...rows];
  const widths = HEADS.map((_, column) => Math.max(...table.map((row) => row[column]!.length)));
  const line = (row: readonly string[]): string =>
    row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join('  ');
  return table.map((row) => line(row).trimEnd()).join('\n');
}

const withoutLayer = (step: StepProfile): string => step.layer || `(${step.op || step.kernel})`;

/**
 * Where a run's time went: one table by layer, one by kernel and implementation, each with milliseconds, share, GFLOP/s
 * and GB/s. Bytes are those of the operands, each counted once.
 *
 * @param steps - a profile of a compiled function
 */
export function profileTable(steps: readonly StepProfile[]): string {
  const total = steps.reduce((sum, step) => sum + step.milliseconds, 0);
  const byKernel = grouped(steps, (step) => `${step.kernel} ${step.implementation}`);
  return [
    formatted('layer', grouped(steps, withoutLayer), total),
    '',
    formatted('kernel', byKernel, total),
    '',
    `total ${total.toFixed(3)} ms in ${steps.length} steps`,
  ].join('\n');
}

/**
 * A run as a trace in the Chrome format, which https://ui.perfetto.dev and chrome://tracing open. Steps follow each other
 * without gaps, under the names of their kernels, with the layer as a category.
 */
export function perfettoTrace(steps: readonly StepProfile[], name = 'fovea'): string {
  const common = { pid: 1, tid: 1 };
  const events: object[] = [
    { ...common, ph: 'M', name: 'process_name', args: { name } },
    { ...common, ph: 'M', name: 'thread_name', args: { name: 'engine' } },
  ];
  let ts = 0;
  for (const step of steps) {
    const { kernel, implementation, op, layer, milliseconds, bytes, flops } = step;
    const dur = milliseconds * 1000;
    const args = { implementation, op, layer, bytes, ...(flops === undefined ? {} : { flops }) };
    events.push({ ...common, ph: 'X', name: kernel, cat: layer || op || kernel, ts, dur, args });
    ts += dur;
  }
  return JSON.stringify({ traceEvents: events, displayTimeUnit: 'ms' });
}
