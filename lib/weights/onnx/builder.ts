import type { Step } from '../../graph/ir.js';
import type { DType, TypedArray } from '../../tensor/dtype.js';
import { FoveaError } from '../../errors.js';
import { sizeOf, type Shape } from '../../tensor/shape.js';
import type { Inference } from './trace.js';
import type { OnnxAttribute, OnnxNode, OnnxTensor, OnnxType } from './schema.js';

/** `last` is ours, NHWC; `first` is that of ONNX's convolutions, NCHW. Only values of rank 4 have both. */
export type Form = 'first' | 'last';

/** Where each axis of NHWC goes in NCHW. */
export const TO_FIRST = [0, 2, 3, 1] as const;
/** NCHW from NHWC: axis i of the result is axis FIRST[i]. */
export const FIRST = [0, 3, 1, 2] as const;
/** NHWC from NCHW. */
export const LAST = [0, 2, 3, 1] as const;

/** A shape whose dimensions may depend on the batch: `null` where they do. */
export type OpenShape = readonly (number | null)[];

/** Row-major elements with their axes in another order. */
export function permuted<A extends TypedArray>(data: A, shape: Shape, perm: readonly number[]): A {
  const made = new (data.constructor as new (length: number) => A)(data.length);
  const strides = shape.map((_, axis) => sizeOf(shape.slice(axis + 1)));
  const sizes = perm.map((axis) => shape[axis]!);
  const steps = perm.map((axis) => strides[axis]!);
  let at = 0;
  const walk = (axis: number, from: number): void => {
    if (axis === sizes.length) {
      made[at++] = data[from]!;
      return;
    }
    for (let k = 0; k < sizes[axis]!; k++) walk(axis + 1, from + k * steps[axis]!);
  };
  walk(0, 0);
  return made;
}

/**
 * The ONNX graph while it is made: nodes, initializers, and for each value of our graph the names it has, in either
 * layout. A value is turned from one layout into the other at most once, when somebody asks.
 */
export class OnnxBuilder {
  readonly nodes: OnnxNode[] = [];
  readonly initializers: OnnxTensor[] = [];
  readonly #forms = new Map<number, Partial<Record<Form, string>>>();
  readonly #data = new Map<number, { readonly name: string; readonly data: TypedArray }>();
  readonly #made = new Map<string, string>();
  readonly #names = new Set<string>();

  /**
   * @param shapes - of the values, with `null` where a dimension is a multiple of the batch
   * @param ports - names that values must bear: the model's outputs
   */
  constructor(
    private readonly inference: Inference,
    readonly shapes: readonly OpenShape[],
    private readonly ports: ReadonlyMap<number, string>,
    readonly opset: number,
  ) {
    for (const [id, constant] of inference.constants) this.#data.set(id, constant);
    for (const name of ports.values()) this.#names.add(name);
  }

  shapeOf(id: number): Shape {
    return this.inference.graph.values[id]!.shape;
  }

  dtypeOf(id: number): DType {
    return this.inference.graph.values[id]!.dtype;
  }

  rankOf(id: number): number {
    return this.shapeOf(id).length;
  }

  /** The steps that read a value. */
  readers(id: number): Step[] {
    return this.inference.graph.steps.filter((step) => step.inputs.includes(id));
  }

  /** The elements of a constant. */
  constant(id: number): TypedArray | undefined {
    return this.#data.get(id)?.data;
  }

  /** A constant with the same elements in another shape. */
  aliasConstant(id: number, source: number): void {
    const { name, data } = this.#data.get(source)!;
    this.#data.set(id, { name: `${name}/reshaped`, data });
  }

  /** Whether a value exists channels first already, without work. */
  hasFirst(id: number): boolean {
    return this.#forms.get(id)?.first !== undefined;
  }

  /** A name that nobody has. */
  fresh(wish: string): string {
    let name = wish;
    for (let i = 1; this.#names.has(name); i++) name = `${wish}_${i}`;
    this.#names.add(name);
    return name;
  }

  /** Adds a node with one output; returns its name. */
  node(
    op: string,
    inputs: readonly string[],
    wish: string,
    attributes: Readonly<Record<string, OnnxAttribute>> = {},
    output?: string,
  ): string {
    const name = output ?? this.fresh(wish);
    this.nodes.push({ name: this.fresh(`${wish}/${op}`), op, inputs, outputs: [name], attributes });
    return name;
  }

  /** Says that a value has a name in a layout; the name it should get when the node is made, see {@link nameFor}. */
  define(id: number, form: Form, name: string): void {
    this.#forms.set(id, { ...this.#forms.get(id), [form]: name });
  }

  /** The name for a value in a layout: the model's, if it is an output. */
  nameFor(id: number, form: Form, wish: string): string {
    const port = this.ports.get(id);
    const ours = this.rankOf(id) === 4 ? form === 'last' : true;
    return port !== undefined && ours ? port : this.fresh(wish);
  }

  /** The name of a value in our layout, made from the other one if need be. */
  last(id: number): string {
    if (this.rankOf(id) !== 4) return this.#known(id).last ?? this.#initializer(id, 'last');
    const { first, last } = this.#known(id);
    if (last !== undefined) return last;
    if (first === undefined) return this.#initializer(id, 'last');
    const name = this.node('Transpose', [first], `${first}/nhwc`, { perm: LAST }, this.ports.get(id));
    this.define(id, 'last', name);
    return name;
  }

  /** The name of a value of rank 4 with channels first. */
  first(id: number): string {
    const { first, last } = this.#known(id);
    if (first !== undefined) return first;
    if (last === undefined) return this.#initializer(id, 'first');
    const name = this.node('Transpose', [last], `${last}/nchw`, { perm: FIRST });
    this.define(id, 'first', name);
    return name;
  }

  /** A value with its axes in another order: a constant is turned here, others by a node. */
  turned(id: number, perm: readonly number[]): string {
    const constant = this.#data.get(id);
    if (!constant) return this.node('Transpose', [this.last(id)], `${this.last(id)}/turned`, { perm });
    const shape = this.shapeOf(id);
    return this.#once(`${id}|${perm.join()}`, () =>
      this.#store(
        constant.name,
        this.dtypeOf(id),
        perm.map((axis) => shape[axis]!),
        permuted(constant.data, shape, perm),
      ),
    );
  }

  /** A constant of integers: a shape, axes, pads. */
  ints(values: readonly number[]): string {
    return this.#once(`int64|${values.join()}`, () =>
      this.#store(
        `ints_${values.join('_').replaceAll('-', 'm')}`,
        'int64',
        [values.length],
        BigInt64Array.from(values, BigInt),
      ),
    );
  }

  floats(values: readonly number[]): string {
    return this.#once(`float|${values.join()}`, () =>
      this.#store('floats', 'float32', [values.length], Float32Array.from(values)),
    );
  }

  /** A constant of this graph's own. */
  matrix(wish: string, shape: readonly number[], data: Float32Array): string {
    return this.#store(wish, 'float32', shape, data);
  }

  /** A scalar constant. */
  scalar(value: number, type: 'float32' | 'int32'): string {
    return this.#once(`${type}|${Object.is(value, -0) ? '-0' : value}`, () =>
      this.#store(
        `scalar_${String(value).replaceAll('-', 'm')}`,
        type,
        [],
        type === 'int32' ? Int32Array.of(value) : Float32Array.of(value),
      ),
    );
  }

  /**
   * A constant of fewer axes than 4 beside a value that has its channels first: the same broadcasting with channels
   * first.
   */
  broadcastFirst(id: number): string {
    const shape = this.shapeOf(id);
    if (shape.length === 0) return this.last(id);
    const padded = [...Array<number>(4 - shape.length).fill(1), ...shape];
    const turned = FIRST.map((axis) => padded[axis]!);
    const constant = this.#data.get(id);
    if (constant) {
      return this.#once(`${id}|first4`, () =>
        this.#store(constant.name, this.dtypeOf(id), turned, permuted(constant.data, padded, FIRST)),
      );
    }
    const wide = this.node('Reshape', [this.last(id), this.ints(padded)], `${this.last(id)}/wide`);
    return this.node('Transpose', [wide], `${wide}/nchw`, { perm: FIRST });
  }

  #known(id: number): Partial<Record<Form, string>> {
    return this.#forms.get(id) ?? {};
  }

  #initializer(id: number, form: Form): string {
    const constant = this.#data.get(id);
    if (!constant)
      throw new FoveaError(`exportOnnx: value ${id} has not been made`, { code: 'ERR_EXECUTION', op: 'exportOnnx' });
    const shape = this.shapeOf(id);
    const name =
      form === 'first'
        ? this.turned(id, FIRST)
        : this.#once(`${id}`, () => this.#store(constant.name, this.dtypeOf(id), shape, constant.data));
    this.define(id, form, name);
    return name;
  }

  #once(key: string, make: () => string): string {
    const known = this.#made.get(key);
    if (known !== undefined) return known;
    const name = make();
    this.#made.set(key, name);
    return name;
  }

  #store(wish: string, type: DType | OnnxType, shape: readonly number[], data: OnnxTensor['data']): string {
    const name = this.fresh(wish);
    this.initializers.push({ name, type: type as OnnxType, shape, data });
    return name;
  }
}
