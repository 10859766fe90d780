/** Writes one file over and over until it is killed: contents of one repeated letter, 4 MB each. */
import { writeFileAtomic } from '../../lib/util/atomic-file.js';

const file = process.argv[2] as string;
for (let round = 0; ; round++) {
  const letter = String.fromCharCode(65 + (round % 26));
  const piece = Buffer.alloc(256 * 1024, letter);
  await writeFileAtomic(file, round % 2 ? Buffer.concat(Array<Buffer>(16).fill(piece)) : Array<Buffer>(16).fill(piece));
  if (round === 0) process.stdout.write('started\n');
}
