/**
 * Trains a small network on `cuda:0` for as many steps as the first argument says, and writes what happened as one line
 * of JSON: the losses, the first error, and the losses after it. Run with the emulator's faults in the environment.
 */
import { devices, FoveaError, setDevice } from '../../lib/index.js';
import { faultBatch, faultNetwork } from './fault-network.js';

const steps = Number(process.argv[2] ?? 3);
const filters = Number(process.argv[3] ?? 4);
const onlyDevices = process.argv[2] === 'devices';

interface Outcome {
  present: string[];
  missing: { name: string; reason: string; remedy: string }[];
  losses: number[];
  error?: { code: string; message: string; op?: string | undefined };
  after: number[];
  again?: { code: string; message: string };
}

const outcome: Outcome = {
  present: devices().present.map((d) => d.name),
  missing: devices().missing.map(({ name, reason, remedy }) => ({ name, reason, remedy })),
  losses: [],
  after: [],
};

const describe = (error: unknown): { code: string; message: string; op?: string | undefined } => {
  if (!(error instanceof FoveaError)) throw error;
  return { code: error.code, message: error.message, op: error.op };
};

async function train(into: number[], count: number): Promise<void> {
  const model = faultNetwork(filters);
  const [x, y] = faultBatch();
  for (let step = 0; step < count; step++) into.push((await model.trainOnBatch(x, y)).loss!);
}

if (!onlyDevices) {
  const [device, second] = (process.env['FAULT_DEVICE'] ?? 'cuda:0').split(',') as [string, string?];
  try {
    if (device !== 'default') setDevice(device);
    await train(outcome.losses, steps);
    if (second !== undefined) {
      setDevice(second);
      await train(outcome.after, steps);
    }
  } catch (error) {
    outcome.error = describe(error);
    try {
      await train(outcome.after, 2);
    } catch (second) {
      outcome.again = describe(second);
    }
  }
}
console.log(JSON.stringify(outcome));
