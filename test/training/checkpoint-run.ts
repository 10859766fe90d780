import { data, layers, optimizers, schedules, Sequential, setRandomSeed, type data as Data } from '../../lib/index.js';
import { scores, spots } from './support.js';

export const EPOCHS = 3;

/** Shuffled batches of 8, the last smaller: 6 an epoch. */
export function trainingData(): Data.Dataset<unknown> {
  const { x, y } = spots(44);
  return data.fromArrays(x, y).shuffle(44, { seed: 11 }).batch(8);
}

/** A small CNN with batch normalization, dropout, and an optimizer with slots and a schedule. */
export function trainingModel(seed: number): Sequential {
  setRandomSeed(seed);
  const model = new Sequential([
    layers.input({ shape: [6, 6, 1] }),
    layers.conv2d({ name: 'conv', filters: 4, kernelSize: 3, activation: 'relu' }),
    layers.batchNormalization({ name: 'bn' }),
    layers.flatten({ name: 'flatten' }),
    layers.dropout({ name: 'drop', rate: 0.4 }),
    layers.dense({ name: 'scores', units: 3 }),
  ]);
  const learningRate = schedules.exponentialDecay({ initialLearningRate: 0.02, decaySteps: 5, decayRate: 0.8 });
  model.compile({ optimizer: optimizers.nadam({ learningRate }), loss: scores(), metrics: ['accuracy'] });
  return model;
}
