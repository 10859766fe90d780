/**
 * A training in a process of its own, to be killed: `checkpoint-child.ts CHECKPOINT`. Says each batch's running loss as
 * the bits of its float64, and when it begins and ends to save; goes on from the checkpoint if there is one.
 */
import { existsSync } from 'node:fs';
import { LambdaCallback, saveCheckpoint } from '../../lib/index.js';
import { EPOCHS, trainingData, trainingModel } from './checkpoint-run.js';

const [file] = process.argv.slice(2) as [string];
const first = !existsSync(file);
const model = trainingModel(first ? 5 : process.pid);
const say = (line: string): void => void process.stdout.write(`${line}\n`);
let epoch = 0;
const watch = new LambdaCallback({
  onEpochBegin: (number) => void (epoch = number),
  onTrainBatchEnd: async (batch, logs) => {
    say(`batch ${epoch} ${batch} ${logs['loss']}`);
    say('saving');
    await saveCheckpoint(model, file);
    say('saved');
  },
});
await model.fit(trainingData(), { epochs: EPOCHS, verbose: 0, resume: file, callbacks: [watch] });
say('done');
