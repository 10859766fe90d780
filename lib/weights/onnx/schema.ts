import type { DType, NarrowDType, TypedArray } from '../../tensor/dtype.js';
import { ProtoWriter } from './protobuf.js';

// The messages of ONNX that a model needs, with the field numbers of onnx.proto (ONNX, Apache-2.0):
// https://github.com/onnx/onnx/blob/main/onnx/onnx.proto

/** Element types of ONNX that are written. */
export type OnnxType = Exclude<DType, NarrowDType> | 'int64';

const DATA_TYPES: Record<OnnxType, number> = { float32: 1, uint8: 2, int32: 6, int64: 7, bool: 9, float64: 11 };

export type OnnxAttribute = number | string | readonly number[] | { readonly float: number };

export interface OnnxNode {
  readonly name: string;
  readonly op: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, OnnxAttribute>>;
}

export interface OnnxTensor {
  readonly name: string;
  readonly type: OnnxType;
  readonly shape: readonly number[];
  readonly data: TypedArray | BigInt64Array;
}

/** An input or output of the model; a dimension may have a name instead of a size. */
export interface OnnxPort {
  readonly name: string;
  readonly type: OnnxType;
  readonly shape: readonly (number | string)[];
}

export interface OnnxGraph {
  readonly name: string;
  readonly nodes: readonly OnnxNode[];
  readonly initializers: readonly OnnxTensor[];
  readonly inputs: readonly OnnxPort[];
  readonly outputs: readonly OnnxPort[];
}

/** The file format's version that goes with a set of operators. */
function irVersion(opset: number): number {
  if (opset >= 21) return 10;
  if (opset >= 19) return 9;
  return opset >= 15 ? 8 : 7;
}

/** A `ModelProto` in pieces. */
export function encodeModel(graph: OnnxGraph, opset: number): ProtoWriter {
  return new ProtoWriter()
    .int(1, irVersion(opset))
    .string(2, 'fovea')
    .message(7, encodeGraph(graph))
    .message(8, new ProtoWriter().string(1, '').int(2, opset));
}

function encodeGraph({ name, nodes, initializers, inputs, outputs }: OnnxGraph): ProtoWriter {
  const writer = new ProtoWriter();
  for (const node of nodes) writer.message(1, encodeNode(node));
  writer.string(2, name);
  for (const tensor of initializers) writer.message(5, encodeTensor(tensor));
  for (const port of inputs) writer.message(11, encodePort(port));
  for (const port of outputs) writer.message(12, encodePort(port));
  return writer;
}

function encodeNode({ name, op, inputs, outputs, attributes }: OnnxNode): ProtoWriter {
  const writer = new ProtoWriter();
  for (const input of inputs) writer.string(1, input);
  for (const output of outputs) writer.string(2, output);
  writer.string(3, name).string(4, op);
  for (const [key, value] of Object.entries(attributes)) writer.message(5, encodeAttribute(key, value));
  return writer;
}

/** Numbers are integers in ONNX unless marked as floats. */
function encodeAttribute(name: string, value: OnnxAttribute): ProtoWriter {
  const writer = new ProtoWriter().string(1, name);
  if (typeof value === 'number') return writer.int(3, value).int(20, 2);
  if (typeof value === 'string') return writer.string(4, value).int(20, 3);
  if ('float' in value) return writer.float(2, value.float).int(20, 1);
  // A repeated field of a message in proto2 is not packed.
  for (const v of value) writer.int(8, v);
  return writer.int(20, 7);
}

function encodeTensor({ name, type, shape, data }: OnnxTensor): ProtoWriter {
  const writer = new ProtoWriter();
  for (const d of shape) writer.int(1, d);
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return writer.int(2, DATA_TYPES[type]).string(8, name).raw(9, bytes);
}

function encodePort({ name, type, shape }: OnnxPort): ProtoWriter {
  const dimensions = new ProtoWriter();
  for (const d of shape) {
    const dimension = new ProtoWriter();
    dimensions.message(1, typeof d === 'number' ? dimension.int(1, d) : dimension.string(2, d));
  }
  const tensorType = new ProtoWriter().int(1, DATA_TYPES[type]).message(2, dimensions);
  return new ProtoWriter().string(1, name).message(2, new ProtoWriter().message(1, tensorType));
}
