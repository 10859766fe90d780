import { tensor, vjp, withDevice, type DType, type Tensor } from '../../lib/index.js';
import type { FloatDType } from '../../lib/tensor/dtype.js';
import type { GraphNode } from '../../lib/graph/node.js';
import { elementwiseFamilies } from './ops-cases-elementwise.js';
import { imageFamilies } from './ops-cases-images.js';
import { layoutFamilies } from './ops-cases-layout.js';
import type { RandomValues } from './random-values.js';

/** An input of a case, on no device yet. `float` becomes the type the test wants. */
export interface HostValue {
  readonly shape: readonly number[];
  readonly dtype: 'float' | 'int32' | 'uint8' | 'bool';
  readonly data: ArrayLike<number>;
}

/** One call of an op with everything chosen. */
export interface OpCall {
  /** The call with its attributes, for messages. */
  readonly label: string;
  readonly inputs: readonly HostValue[];
  /** Output 0 is the one that is differentiated, by all float inputs. */
  readonly apply: (inputs: Tensor[]) => Tensor[];
  /** No gradient flows, or it is not defined at these values. */
  readonly noGradient?: boolean;
  /** Results must be equal to the bit. */
  readonly exact?: boolean;
  /** Allowed difference as a part of the largest magnitude; 1e-5 when left out. */
  readonly relative?: number;
}

/** Draws calls of one op, or of several that are alike. */
export interface OpFamily {
  readonly name: string;
  /** Ops of the table that its calls make. */
  readonly covers: readonly string[];
  /** How many calls a conformance run draws, for each unit of work. */
  readonly weight: number;
  /** `small` asks for few elements and no empty tensors: a gradient check moves each of them. */
  readonly draw: (random: RandomValues, small: boolean) => OpCall;
}

/** Every op of the table is made by one of these. */
export function opFamilies(): readonly OpFamily[] {
  return [...elementwiseFamilies, ...layoutFamilies, ...imageFamilies];
}

/** The inputs of a call on a device. */
export function placeInputs(call: OpCall, device: string, float: FloatDType): Tensor[] {
  return call.inputs.map(({ shape, dtype, data }) =>
    placeValue(shape, dtype === 'float' ? float : dtype, data, device),
  );
}

export function placeValue(shape: readonly number[], dtype: DType, data: ArrayLike<number>, device: string): Tensor {
  return tensor(Array.from(data), shape, { dtype, device });
}

/** What a call gives on a device: outputs, and the gradients of output 0 by the float inputs. */
export interface CallResult {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: DType;
  readonly data: ArrayLike<number>;
}

/** Runs a call and its gradients; `dy` is drawn for the shape of output 0. */
export function runCall(
  call: OpCall,
  device: string,
  float: FloatDType,
  dy: (shape: readonly number[]) => ArrayLike<number>,
): CallResult[] {
  return withDevice(device, () => {
    const inputs = placeInputs(call, device, float);
    const wanted = call.noGradient ? [] : inputs.filter((_, i) => call.inputs[i]!.dtype === 'float');
    let outputs: Tensor[] = [];
    const { value, pullback } = vjp(
      (...moved) => {
        const given = inputs.map((t) => moved[wanted.indexOf(t)] ?? t);
        outputs = call.apply(given);
        return outputs[0]!;
      },
      ...wanted,
    );
    const gradients =
      wanted.length === 0 ? [] : pullback(placeValue(value.shape, value.dtype, dy(value.shape), device));
    const results = [
      ...outputs.map((t, i) => ({ name: `output ${i}`, t })),
      ...gradients.map((t, i) => ({ name: `gradient ${i}`, t })),
    ].map(({ name, t }) => ({ name, shape: t.shape, dtype: t.dtype, data: t.dataSync() }));
    for (const t of [...inputs, ...outputs, ...gradients]) t.dispose();
    return results;
  });
}

/** Names of the ops that lead to a tensor, as far as the graph still knows. */
export function opsBehind(...tensors: readonly Tensor[]): Set<string> {
  const names = new Set<string>();
  const seen = new Set<GraphNode>();
  const stack = tensors.map((t) => t.value().node);
  for (let node = stack.pop(); node; node = stack.pop()) {
    if (seen.has(node)) continue;
    seen.add(node);
    if (node.op) names.add(node.op.name);
    stack.push(...node.inputs.map((v) => v.node));
  }
  return names;
}

/** A call as it stands in messages. */
export function describeCall({ label, inputs }: OpCall): string {
  return `${label} of ${inputs.map((i) => `${i.dtype}[${i.shape.join()}]`).join(', ')}`;
}
