import { FoveaError } from '../errors.js';
import type { Shape } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Variable } from '../tensor/variable.js';
import { GraphNode, type Value, type ValueSpec } from './node.js';

/** Numbers that are asked for anew at every run: learning rate, bias correction. */
export interface HostInput {
  readonly node: GraphNode;
  readonly read: () => number | Float32Array;
}

/** What a traced function does besides computing: undone when the run fails. */
export interface Effect {
  readonly commit: () => void;
  readonly rollback: () => void;
}

/**
 * The record of one traced call: its placeholders, the variables it read and assigned, its host inputs. While a trace
 * is open, variables are read and assigned in it, not in the world.
 */
export class Trace {
  readonly variables = new Map<Variable, GraphNode>();
  readonly assigned = new Map<Variable, Tensor>();
  readonly hostInputs: HostInput[] = [];
  readonly effects: Effect[] = [];
  /** Set by `compile` when the function has returned. */
  closed = false;

  constructor(
    readonly name: string,
    readonly device: string,
  ) {}

  placeholder(spec: ValueSpec, layer = ''): GraphNode {
    return new GraphNode(undefined, [], {}, [spec], this.device, layer, { kind: 'placeholder' }, this);
  }

  /** The placeholder that stands for a variable's value when the function was called. */
  variable(variable: Variable): GraphNode {
    let node = this.variables.get(variable);
    if (!node) {
      node = this.placeholder({ shape: variable.shape, dtype: variable.dtype }, variable.name);
      this.variables.set(variable, node);
    }
    return node;
  }

  /** @param read - the one element, or all elements of `shape` */
  hostInput(read: () => number | Float32Array, shape: Shape = []): GraphNode {
    const node = this.placeholder({ shape, dtype: 'float32' });
    this.hostInputs.push({ node, read });
    return node;
  }
}

/** State of the tracing machinery; one per JavaScript thread. */
const state = { traces: [] as Trace[], recording: 0, scopes: [] as string[], readers: [] as Map<Variable, Value>[] };

export function currentTrace(): Trace | undefined {
  return state.traces.at(-1);
}

/** Runs `fn` with `trace` open. */
export function withTrace<T>(trace: Trace, fn: () => T): T {
  state.traces.push(trace);
  try {
    return fn();
  } finally {
    state.traces.pop();
    trace.closed = true;
  }
}

/** Runs `fn` as if no trace were open: for state that outlives a trace, such as weights made at a layer's first use. */
export function withoutTrace<T>(fn: () => T): T {
  const open = state.traces.splice(0);
  try {
    return fn();
  } finally {
    state.traces.push(...open);
  }
}

/** Runs `fn` while nodes keep their inputs, because a gradient will walk them. */
export function withRecording<T>(fn: () => T): T {
  state.recording++;
  try {
    return fn();
  } finally {
    state.recording--;
  }
}

export function isRecording(): boolean {
  return state.recording > 0;
}

/** Collects the variables read while `fn` runs, each with the value it had when it was first read. */
export function collectReads<T>(fn: () => T): { value: T; reads: Map<Variable, Value> } {
  const reads = new Map<Variable, Value>();
  state.readers.push(reads);
  try {
    return { value: fn(), reads };
  } finally {
    state.readers.pop();
  }
}

export function noteRead(variable: Variable, value: Value): void {
  for (const reads of state.readers) if (!reads.has(variable)) reads.set(variable, value);
}

/** Runs `fn` with `name` added to the path that nodes made in it carry: `block3/conv1`. */
export function withLayer<T>(name: string, fn: () => T): T {
  state.scopes.push(state.scopes.length === 0 ? name : `${state.scopes.at(-1)}/${name}`);
  try {
    return fn();
  } finally {
    state.scopes.pop();
  }
}

/** Runs `fn` with nodes made in it carrying this path and no other: gradients belong to the layer they come from. */
export function withLayerPath<T>(path: string, fn: () => T): T {
  state.scopes.push(path);
  try {
    return fn();
  } finally {
    state.scopes.pop();
  }
}

export function layerPath(): string {
  return state.scopes.at(-1) ?? '';
}

/** Refuses what needs a value while there is none yet. */
export function refuseInTrace(what: string, trace: Trace): never {
  throw new FoveaError(
    `${what}: this tensor is computed inside the traced function ${trace.name} and has no value ` +
      (trace.closed ? 'outside it; return it from the function instead' : 'while it is being traced'),
    { code: 'ERR_EXECUTION' },
  );
}
