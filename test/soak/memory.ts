/** 2,000 training steps leave the process's memory within 3% of what it was after 100. */
import { trainFor } from './support/training.js';

const LIMIT = 1.03;
const collect = (globalThis as { gc?: () => void }).gc;
let after100 = 0;
let last = 0;
await trainFor(2000, (step) => {
  if (step % 100 !== 0) return;
  collect?.();
  last = process.memoryUsage().rss / 2 ** 20;
  if (step === 100) after100 = last;
  if (step % 500 === 0 || step === 100) console.log(`step ${step}: ${last.toFixed(1)} MiB`);
});
const growth = last / after100;
console.log(`memory after 2,000 steps: ${((growth - 1) * 100).toFixed(2)}% over that after 100 (at most 3%)`);
if (!(growth <= LIMIT)) process.exitCode = 1;
