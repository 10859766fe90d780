/** A convolution that is large enough to be timed; prints a digest of its bits. */
import { createHash } from 'node:crypto';
import { ops, setDevice } from '../../lib/index.js';

setDevice('cpu');
const y = ops.conv2d(ops.randomNormal([2, 20, 20, 64], 1), ops.randomNormal([3, 3, 64, 64], 2), { padding: 'same' });
console.log(
  createHash('sha256')
    .update(new Uint8Array((await y.data()).buffer))
    .digest('hex'),
);
