import { currentDevice, devices } from '../../index.js';
import { bytes, table, type Output } from '../output.js';

/** `fovea devices` */
export function run(out: Output): void {
  const { present, missing } = devices();
  const current = currentDevice();
  out.result({ current, present, missing }, () => {
    const rows = present.map(({ name, description, memoryBytes, capabilities }) => [
      name === current ? `${name} *` : name,
      description,
      memoryBytes === undefined ? '' : bytes(memoryBytes),
      capabilities.join(' '),
    ]);
    const lines = [table(['device', 'what it is', 'memory', 'can do'], rows)];
    for (const { name, reason, remedy } of missing) lines.push('', `${name}: not available: ${reason}`, `  ${remedy}`);
    return lines.join('\n');
  });
}
