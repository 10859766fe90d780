/**
 * Events as TensorFlow 2 writes them: `tensorflow/core/util/event.proto`, `framework/summary.proto` and
 * `framework/tensor.proto`. Values are tensors, and metadata names the plug-in that shows them.
 */
import { bytes, double, int, message, readFields, type RawField } from './protobuf.js';

/** `DataType` in `types.proto`. */
const DT = { float: 1, double: 2, string: 7 } as const;

/** The plug-ins of TensorBoard that show what we write. */
export type Plugin = 'scalars' | 'histograms' | 'images' | 'text';

/** A tensor of floats, doubles or byte strings. */
export interface SummaryTensor {
  readonly dtype: keyof typeof DT;
  readonly shape: readonly number[];
  /** The elements as little-endian bytes, or one entry a string. */
  readonly content: Uint8Array | readonly Uint8Array[];
}

/** `TensorProto`. */
function encodeTensor({ dtype, shape, content }: SummaryTensor): Uint8Array {
  const dims = shape.map((size) => bytes(2, int(1, size)));
  const values = content instanceof Uint8Array ? [bytes(4, content)] : content.map((text) => bytes(8, text));
  return message(int(1, DT[dtype]), bytes(2, message(...dims)), ...values);
}

/** An event with one summary value. */
export function encodeSummary(
  wallTime: number,
  step: number,
  tag: string,
  plugin: Plugin,
  tensor: SummaryTensor,
): Uint8Array {
  const metadata = bytes(1, bytes(1, plugin));
  const value = message(bytes(1, tag), bytes(8, encodeTensor(tensor)), bytes(9, metadata));
  return message(double(1, wallTime), int(2, BigInt(step)), bytes(5, bytes(1, value)));
}

/** The event that every file begins with. */
export function encodeVersion(wallTime: number, writer: string): Uint8Array {
  return message(double(1, wallTime), bytes(3, 'brain.Event:2'), bytes(10, bytes(1, writer)));
}

/** A scalar in float32. */
export function scalarTensor(value: number): SummaryTensor {
  return { dtype: 'float', shape: [], content: little(4, [value]) };
}

/** Numbers as little-endian floats of 4 or 8 bytes. */
export function little(size: 4 | 8, values: readonly number[]): Uint8Array {
  const out = new Uint8Array(size * values.length);
  const view = new DataView(out.buffer);
  values.forEach((value, i) =>
    size === 4 ? view.setFloat32(size * i, value, true) : view.setFloat64(size * i, value, true),
  );
  return out;
}

/** A summary value that was read. */
export interface SummaryValue {
  readonly tag: string;
  readonly plugin: string | undefined;
  /** Of the first version of summaries: a number without a tensor. */
  readonly simpleValue?: number;
  readonly dtype?: number;
  readonly shape?: readonly number[];
  readonly content?: Uint8Array;
  readonly strings?: readonly Uint8Array[];
}

/** An event that was read. */
export interface TensorBoardEvent {
  /** Seconds since 1970. */
  readonly wallTime: number;
  readonly step: number;
  readonly fileVersion?: string;
  readonly values: readonly SummaryValue[];
}

const one = (fields: readonly RawField[], field: number): Uint8Array | undefined =>
  fields.find((f) => f.field === field && f.value instanceof Uint8Array)?.value as Uint8Array | undefined;
const integer = (fields: readonly RawField[], field: number): number =>
  Number(BigInt.asIntN(64, (fields.find((f) => f.field === field)?.value as bigint | undefined) ?? 0n));
const all = (fields: readonly RawField[], field: number): Uint8Array[] =>
  fields.filter((f) => f.field === field).map((f) => f.value as Uint8Array);
const utf8 = new TextDecoder();
const view = (data: Uint8Array): DataView => new DataView(data.buffer, data.byteOffset, data.byteLength);

/** Reads an event that {@link encodeSummary}, {@link encodeVersion} or TensorFlow wrote. */
export function decodeEvent(data: Uint8Array): TensorBoardEvent {
  const fields = readFields(data);
  const version = one(fields, 3);
  const summary = one(fields, 5);
  const time = one(fields, 1);
  return {
    wallTime: time ? view(time).getFloat64(0, true) : 0,
    step: integer(fields, 2),
    ...(version ? { fileVersion: utf8.decode(version) } : {}),
    values: summary ? all(readFields(summary), 1).map(decodeValue) : [],
  };
}

function decodeValue(data: Uint8Array): SummaryValue {
  const fields = readFields(data);
  const metadata = one(fields, 9);
  const pluginData = metadata && one(readFields(metadata), 1);
  const plugin = pluginData && one(readFields(pluginData), 1);
  const simple = one(fields, 2);
  const tensor = one(fields, 8);
  return {
    tag: utf8.decode(one(fields, 1)),
    plugin: plugin && utf8.decode(plugin),
    ...(simple ? { simpleValue: view(simple).getFloat32(0, true) } : {}),
    ...(tensor ? decodeTensor(tensor) : {}),
  };
}

function decodeTensor(data: Uint8Array): Pick<SummaryValue, 'dtype' | 'shape' | 'content' | 'strings'> {
  const fields = readFields(data);
  const shape = one(fields, 2);
  return {
    dtype: integer(fields, 1),
    shape: shape ? all(readFields(shape), 2).map((dim) => integer(readFields(dim), 1)) : [],
    content: one(fields, 4) ?? new Uint8Array(),
    strings: all(fields, 8),
  };
}
