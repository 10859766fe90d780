import { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node';
import { exportOnnx } from '../../lib/index.js';
import type { Model, OnnxOptions } from '../../lib/index.js';

/** What onnxruntime makes of an input with an exported model: the first output. */
export async function runExported(
  model: Model,
  file: string,
  data: Float32Array | Int32Array,
  shape: readonly number[],
  options: OnnxOptions = {},
): Promise<{ values: Float32Array; shape: readonly number[]; inputs: readonly string[]; outputs: readonly string[] }> {
  await exportOnnx(model, file, options);
  const session = await InferenceSession.create(file, { intraOpNumThreads: 1 });
  try {
    const { inputNames: inputs, outputNames: outputs } = session;
    const results = await session.run({ [inputs[0]!]: new OrtTensor('float32', Float32Array.from(data), shape) });
    const { data: values, dims } = results[outputs[0]!]!;
    return { values: values as Float32Array, shape: dims, inputs, outputs };
  } finally {
    await session.release();
  }
}
