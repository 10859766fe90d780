/** Prints why there is no cuda device, after a step of training on the one there is. */
import { devices, layers, Sequential } from '../../lib/index.js';

const model = new Sequential([layers.dense({ units: 1, inputShape: [2] })]);
model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
await model.trainOnBatch([[1, 2]], [[3]]);
console.log(JSON.stringify(devices().missing.find(({ name }) => name === 'cuda')));
