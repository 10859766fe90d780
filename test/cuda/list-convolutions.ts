/** Prints every convolution of the zoo and of the golden cases, one a line: `tsx test/cuda/list-convolutions.ts 32`. */
import { allConvolutions } from './convolutions.js';

process.stdout.write(allConvolutions(Number(process.argv[2] ?? 32)).join('\n') + '\n');
