import type { KernelCall, ReferenceKernel } from './kernel.js';

/** What the results along one axis are made of: `forEach(i, visit(position in the source, weight))`. */
type Mixture = (i: number, visit: (from: number, weight: number) => void) => void;

function readAxis(call: KernelCall, name: 'row' | 'column', size: number, target: number): Mixture {
  const starts = call.integers(`${name}Starts`, target, 0);
  const weights = call.numbers(`${name}Weights`);
  const taps = target === 0 ? 0 : weights.length / target;
  if (!Number.isInteger(taps) || (target > 0 && taps === 0)) {
    throw call.invalid(`as many ${name}Weights for each of ${target} results`, `${weights.length}`);
  }
  const outside = starts.find((start) => start + taps > size);
  if (outside !== undefined) {
    throw call.invalid(`${name}Starts within the ${size} pixels of the image`, `${outside} with ${taps} weights`);
  }
  return (i, visit) => {
    for (let k = 0; k < taps; k++) {
      const weight = weights[i * taps + k]!;
      // What has no weight takes no part, be it NaN.
      if (weight !== 0) visit(starts[i]! + k, weight);
    }
  };
}

/** y = the image under one linear map along rows and one along columns. */
export const resize: ReferenceKernel = {
  prepare(call) {
    call.count(1, 1);
    const [image, result] = [call.input(0), call.output(0)];
    call.float(image, result);
    call.rank('the image', image, 4);
    call.rank('the result', result, 4);
    const [n, h, w, c] = image.shape as [number, number, number, number];
    const [oh, ow] = [result.shape[1]!, result.shape[2]!];
    call.shape('the result', result, [n, oh, ow, c]);
    const rows = readAxis(call, 'row', h, oh);
    const columns = readAxis(call, 'column', w, ow);
    return ([x], [y]) => {
      y!.fill(0);
      for (let to = 0; to < n * oh * ow; to++) {
        const first = Math.floor(to / (oh * ow)) * h;
        rows(Math.floor(to / ow) % oh, (row, vertical) => {
          columns(to % ow, (column, horizontal) => {
            const from = (first + row) * w + column;
            for (let i = 0; i < c; i++) y![to * c + i]! += vertical * horizontal * x![from * c + i]!;
          });
        });
      }
    };
  },
};
