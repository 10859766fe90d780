import { describe, expect, it } from 'vitest';
import { pixelStage, type Scale } from '../../lib/cli/pixels.js';
import { data } from '../../lib/index.js';

const label = data.scalar(3, 'int32');
const grey = data.hostTensor(Float32Array.of(0, 51, 102, 255), [2, 2, 1]);
const color = data.hostTensor(Float32Array.of(255, 127.5, 0), [1, 1, 3]);

function apply(image: data.HostTensor, scale: Scale, white: 1 | 255, size?: [number, number]): data.HostTensor {
  const [out, same] = pixelStage({ scale, size }, white)!([image, label]);
  expect(same).toBe(label);
  return out;
}
const rounded = ({ data: values }: data.HostTensor): number[] => Array.from(values, (v) => Math.round(1e4 * v) / 1e4);

describe('pixelStage', () => {
  it('does nothing where there is nothing to do', () => {
    expect(pixelStage({ scale: 'unit' }, 1)).toBeUndefined();
    expect(pixelStage({ scale: 'none' }, 255)).toBeUndefined();
  });

  it('scales, from bytes and from 0 to 1', () => {
    expect(rounded(apply(grey, 'unit', 255))).toEqual([0, 0.2, 0.4, 1]);
    const unit = apply(color, 'unit', 255);
    expect(rounded(apply(unit, 'none', 1))).toEqual([255, 127.5, 0]);
    for (const [image, white] of [
      [color, 255],
      [unit, 1],
    ] as const) {
      expect(rounded(apply(image, 'tf', white))).toEqual([1, 0, -1]);
      expect(rounded(apply(image, 'caffe', white))).toEqual([-103.939, 10.721, 131.32]);
      expect(rounded(apply(image, 'torch', white))).toEqual([2.2489, 0.1964, -1.8044]);
    }
    expect(() => apply(grey, 'torch', 255)).toThrow(/'torch' is for images of 3 channels, received 1/);
  });

  it('resizes first', () => {
    const out = apply(grey, 'unit', 255, [1, 1]);
    expect(out.shape).toEqual([1, 1, 1]);
    expect(rounded(out)).toEqual([0.4]);
    expect(apply(color, 'none', 255, [4, 5]).shape).toEqual([4, 5, 3]);
  });
});
