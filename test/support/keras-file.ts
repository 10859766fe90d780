import { encodeHdf5, type WrittenGroup } from '../../lib/weights/hdf5/writer.js';
import { fillSpec } from './fill.js';
import type { ModelFixture } from './zoo.js';

/**
 * The bytes of a weights file as keras.applications offers them: layers and weights in Keras's old order, under the names
 * that older versions gave them, which nobody has today. `h5` files of Keras 2 look like this.
 */
export function encodeKerasWeights({ weights, legacyOrder }: ModelFixture): Uint8Array {
  // Layers without weights stand in the list too.
  const layers = legacyOrder!.flatMap(([, indices], i) => [
    { name: `zeropadding2d_${i + 1}`, indices: [] as readonly number[] },
    { name: `convolution2d_${i + 1}`, indices },
  ]);
  const children = new Map<string, WrittenGroup>();
  for (const { name, indices } of layers) {
    const arrays = new Map(
      indices.map((index, k) => {
        const { shape } = weights[index]!;
        const data = Float32Array.from(fillSpec(weights[index]!));
        return [`${name}_W${k}:0`, { dtype: 'float32' as const, shape, data }];
      }),
    );
    children.set(name, { attributes: { weight_names: [...arrays.keys()] }, children: arrays });
  }
  const attributes = { layer_names: layers.map(({ name }) => name), backend: 'tensorflow', keras_version: '2.0.1' };
  return Buffer.concat(encodeHdf5('weights.h5', { attributes, children }));
}
