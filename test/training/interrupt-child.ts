/**
 * A training in a process of its own, to be interrupted: `interrupt-child.ts FOLDER MODE`. `orderly` ends at Ctrl-C with a
 * backup; `stuck` waits in a callback for ever, so that only a second Ctrl-C ends it.
 */
import path from 'node:path';
import { callbacks, interruptible, LambdaCallback } from '../../lib/index.js';
import { EPOCHS, trainingData, trainingModel } from './checkpoint-run.js';

const [folder, mode] = process.argv.slice(2) as [string, 'orderly' | 'stuck' | 'whole'];
const say = (line: string): void => void process.stdout.write(`${line}\n`);
const model = trainingModel(5);
let epoch = 0;
const watch = new LambdaCallback({
  onEpochBegin: (number) => void (epoch = number),
  onTrainBatchEnd: async (batch, logs) => {
    say(`batch ${epoch} ${batch} ${logs['loss']}`);
    if (mode === 'whole') return;
    if (mode === 'stuck') await new Promise((resolve) => setTimeout(resolve, 60_000));
    // Time for the signal to come in the middle of the run.
    await new Promise((resolve) => setTimeout(resolve, 40));
  },
});
await interruptible((signal) =>
  model.fit(trainingData(), {
    ...{ epochs: EPOCHS, verbose: 0, signal },
    callbacks: [
      watch,
      new callbacks.BackupAndRestore(path.join(folder, 'backup.safetensors')),
      new callbacks.ModelCheckpoint(path.join(folder, 'model'), { saveFreq: 1000, saveOnInterrupt: true }),
    ],
  }),
);
await new Promise((resolve) => setTimeout(resolve, 600));
say(`ended, ${process.listenerCount('SIGINT')} listeners`);
