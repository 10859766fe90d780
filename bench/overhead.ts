/**
 * The JavaScript cost of one compiled training step: how long a call of the compiled function keeps the JavaScript
 * thread, measured on a step with as many variables as the Fashion-MNIST CNN and an optimizer with two slots each, but
 * with next to nothing to compute. Fails at 0.3 ms.
 */
import { compile, tensor, Variable, zeros, type Tensor } from '../lib/index.js';
import { median, quantile } from './measure.js';

const LIMIT = 0.3;
const variables = Array.from({ length: 16 * 3 }, () => new Variable(zeros([4])));
const step = compile((x: Tensor) => {
  for (const v of variables) v.assign(v.value.mul(0.9).add(x));
  return { loss: x.sum(), accuracy: x.mean() };
});
const x = tensor([1, 2, 3, 4]);
const times: number[] = [];
for (let i = 0; i < 3000; i++) {
  const start = performance.now();
  const { loss, accuracy } = step(x);
  times.push(performance.now() - start);
  await loss.data();
  loss.dispose();
  accuracy.dispose();
}
const warm = times.slice(500);
const middle = median(warm);
console.log(
  `one compiled step keeps the JavaScript thread ${middle.toFixed(3)} ms (median), ${quantile(warm, 0.99).toFixed(3)} ms (99th percentile)`,
);
if (middle >= LIMIT) {
  console.log(`expected less than ${LIMIT} ms`);
  process.exitCode = 1;
}
