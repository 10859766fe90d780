import type { Attributes } from '../backends/backend.js';
import type { DType } from '../tensor/dtype.js';
import type { Shape } from '../tensor/shape.js';

/**
 * The form a graph has between tracing and planning: plain data in execution order, so that every pass is a function
 * from one to the next.
 */

/** One value; its id is its index in {@link Graph.values}. */
export interface IrValue {
  readonly shape: Shape;
  readonly dtype: DType;
  /** `external`: handed to the plan at each run. `scalar`: a number known now. */
  readonly kind: 'external' | 'scalar' | 'computed';
  readonly scalar?: number;
}

/** One instruction of an elementwise program; args are registers: inputs first, then instruction results. */
export interface Instruction {
  readonly opcode: string;
  readonly args: readonly number[];
  readonly params: readonly number[];
}

export interface Program {
  readonly compute: 'float' | 'int32';
  readonly instructions: readonly Instruction[];
  /** For each output, the register it stores. */
  readonly results: readonly number[];
}

interface StepBase {
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  readonly op: string;
  readonly layer: string;
}

export interface KernelStep extends StepBase {
  readonly kind: 'kernel';
  readonly kernel: string;
  readonly attributes: Attributes;
}

export interface ElementwiseStep extends StepBase {
  readonly kind: 'elementwise';
  readonly program: Program;
}

/**
 * One program over several groups of operands, each of a shape of its own. Inputs are those that all groups read, then
 * each group's own; outputs are each group's. Registers: first the shared inputs, then a group's own.
 */
export interface ElementwiseGroupStep extends StepBase {
  readonly kind: 'elementwiseGroup';
  readonly program: Program;
  /** How many inputs all groups read. */
  readonly shared: number;
}

/**
 * A gradient that is a matrix product and the update that alone reads it, computed and applied in strips of rows, so that
 * no more than a strip of the gradient exists at a time. Inputs are the two of the product, then those of the update but
 * the gradient; outputs are the update's.
 */
export interface UpdateInStripsStep extends StepBase {
  readonly kind: 'updateInStrips';
  readonly gradient: KernelStep;
  readonly update: ElementwiseStep;
}

/** Output 0 is input 0 under another shape; no work. */
export interface AliasStep extends StepBase {
  readonly kind: 'alias';
}

export type Step = KernelStep | ElementwiseStep | ElementwiseGroupStep | UpdateInStripsStep | AliasStep;

/** New contents of an external value (a variable), written when nobody reads the old ones any more. */
export interface Update {
  readonly target: number;
  readonly value: number;
}

export interface Graph {
  readonly values: readonly IrValue[];
  readonly steps: readonly Step[];
  /** External values in the order the caller hands them over. */
  readonly externals: readonly number[];
  /** Values the caller wants, each in a buffer of its own. */
  readonly outputs: readonly number[];
  readonly updates: readonly Update[];
  /** Externals that seldom change from run to run: variables and constants, not arguments. */
  readonly steady?: readonly number[];
}

/** A function from graph to graph that keeps its meaning. */
export type Pass = (graph: Graph) => Graph;

/** For every value, the indices of the steps that read it. */
export function readersOf(graph: Graph): number[][] {
  const readers: number[][] = graph.values.map(() => []);
  graph.steps.forEach((step, index) => {
    for (const input of new Set(step.inputs)) readers[input]!.push(index);
  });
  return readers;
}

/** For every value, the index of the step that makes it, or -1. */
export function producersOf(graph: Graph): number[] {
  const producers = graph.values.map(() => -1);
  graph.steps.forEach((step, index) => {
    for (const output of step.outputs) producers[output] = index;
  });
  return producers;
}

/** For every value, the value whose bytes it shows: itself, unless it is an alias. */
export function rootsOf(graph: Graph): number[] {
  const root = graph.values.map((_, id) => id);
  for (const step of graph.steps) if (step.kind === 'alias') root[step.outputs[0]!] = root[step.inputs[0]!]!;
  return root;
}

/** Values that must exist after the run: outputs and update values. */
export function kept(graph: Graph): Set<number> {
  return new Set([...graph.outputs, ...graph.updates.map((u) => u.value)]);
}
