import { setTimeout as wait } from 'node:timers/promises';
import { recorded } from './slow-data.js';

// Caches slowly until it is killed.
let count = 0;
for await (const _ of recorded(process.argv[2]!, async () => wait(5))) {
  count++;
  process.stdout.write(`${count}\n`);
}
