/**
 * `fovea.mjs save|run FOLDER`: saves the chapter's CNN, or loads it and predicts one image, as a program that uses the
 * built package would.
 */
import * as path from 'node:path';
import { loadModel, ones, saveModel } from '../../dist/lib/index.js';

const [mode, folder] = process.argv.slice(2);
const file = path.join(folder, 'fashion.fovea');
if (mode === 'save') {
  const { fashionCnn } = await import('../../dist/models/index.js');
  await saveModel(fashionCnn(), file);
} else {
  const model = await loadModel(file);
  const scores = await model.predict(ones([1, 28, 28, 1]));
  await scores.data();
  console.log(scores.shape);
}
