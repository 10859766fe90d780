import { doctor } from '../doctor.js';
import { EXIT } from '../errors.js';
import type { Output } from '../output.js';

const MARKS = { ok: 'ok  ', warning: 'warn', failure: 'FAIL' } as const;

/** `fovea doctor` */
export async function run(out: Output): Promise<void> {
  const report = await doctor();
  out.result(report, () => {
    const width = Math.max(...report.checks.map(({ name }) => name.length));
    const lines = report.checks.flatMap(({ name, status, detail, remedy }) => [
      `${MARKS[status]}  ${name.padEnd(width)}  ${detail}`,
      ...(remedy ? [`      ${' '.repeat(width)}  -> ${remedy}`] : []),
    ]);
    const verdict = report.canTrain ? `Training works here, on ${report.device}.` : 'Training does not work here.';
    return [...lines, '', verdict].join('\n');
  });
  if (!report.canTrain) process.exitCode = EXIT.failure;
}
