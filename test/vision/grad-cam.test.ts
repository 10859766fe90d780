import { expect, test } from 'vitest';
import { data, layers, Sequential, tensor, vision } from '../../lib/index.js';
import { describeEachDevice } from '../support/each-device.js';

/** Two features, as the image has them; class 0 adds up the first, class 1 the second minus the first. */
function model(): Sequential {
  const dense = layers.dense({ units: 2, useBias: false, name: 'classes' });
  const net = new Sequential([
    layers.conv2d({ filters: 2, kernelSize: 1, useBias: false, name: 'features', inputShape: [2, 3, 2] }),
    layers.globalAveragePooling2d(),
    dense,
  ]);
  const [kernel, weights] = net.weights;
  kernel!.assign(tensor([1, 0, 0, 1], [1, 1, 2, 2]));
  weights!.assign(
    tensor([
      [1, -1],
      [0, 1],
    ]),
  );
  return net;
}

const first = [5, 0, 1, 0, 0, 0];
const second = [0, 0, 0, 0, 10, 3];
const image = data.hostTensor(Float32Array.from(first.flatMap((v, i) => [v, second[i]!])), [2, 3, 2]);

describeEachDevice('gradCam', () => {
  test('shows the features that speak for a class', async () => {
    const one = await vision.gradCam(model(), image, { classIndex: 0 });
    expect(one.shape).toEqual([2, 3]);
    first.forEach((v, i) => expect(one.data[i]).toBeCloseTo(v / 5, 5));
    const other = await vision.gradCam(model(), image, { classIndex: 1, layerName: 'features' });
    second.forEach((v, i) => expect(other.data[i]).toBeCloseTo(v / 10, 5));
  });

  test('asks for the likeliest class unless told, in a batch for each image; brings maps to a size', async () => {
    const blank = data.hostTensor(
      image.data.map((v, i) => (i % 2 === 0 ? v : 0)),
      image.shape,
    );
    const both = await vision.gradCam(model(), vision.stackImages([image, blank]));
    expect(both.shape).toEqual([2, 2, 3]);
    expect(both.data[4]).toBeCloseTo(1, 5);
    expect(both.data[6]).toBeCloseTo(1, 5);
    const large = await vision.gradCam(model(), image, { size: [4, 6] });
    expect(large.shape).toEqual([4, 6]);
    expect(Math.max(...large.data)).toBeCloseTo(1, 6);
  });

  test('refuses layers and classes that do not fit', async () => {
    await expect(vision.gradCam(model(), image, { classIndex: 2 })).rejects.toThrow(/classIndex from 0 to 1/);
    await expect(vision.gradCam(model(), image, { layerName: 'classes' })).rejects.toThrow(/output \[n,h,w,c\]/);
    await expect(vision.gradCam(model(), image, { layerName: 'none' })).rejects.toThrow(/none/);
  });
});
