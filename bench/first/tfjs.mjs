/**
 * `tfjs.mjs save|run FOLDER`, in an environment with @tensorflow/tfjs: saves the chapter's CNN, or loads it and predicts
 * one image. Its files are written and read here, since tfjs itself knows browsers' storage only.
 */
import * as fs from 'node:fs';
import { createRequire } from 'node:module';
import * as path from 'node:path';

const tf = createRequire(path.resolve(process.env.TFJS_ENVIRONMENT, 'package.json'))('@tensorflow/tfjs');
const [mode, folder] = process.argv.slice(2);
const file = path.join(folder, 'fashion-tfjs.json');
if (mode === 'save') {
  const conv = (filters, kernelSize) =>
    tf.layers.conv2d({
      filters,
      kernelSize,
      padding: 'same',
      activation: 'relu',
      kernelInitializer: 'heNormal',
    });
  const pool = () => tf.layers.maxPooling2d({ poolSize: 2 });
  const dense = (units, activation) => tf.layers.dense({ units, activation, kernelInitializer: 'heNormal' });
  const drop = () => tf.layers.dropout({ rate: 0.5 });
  const input = tf.layers.inputLayer({ inputShape: [28, 28, 1] });
  const features = [conv(64, 7), pool(), conv(128, 3), conv(128, 3), pool(), conv(256, 3), conv(256, 3), pool()];
  const head = [tf.layers.flatten(), dense(128, 'relu'), drop(), dense(64, 'relu'), drop(), dense(10, 'softmax')];
  const model = tf.sequential({ layers: [input, ...features, ...head] });
  await model.save({
    save: async ({ modelTopology, weightSpecs, weightData }) => {
      fs.writeFileSync(file, JSON.stringify({ modelTopology, weightSpecs }));
      fs.writeFileSync(`${file}.bin`, Buffer.from(weightData));
      return { modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: 'JSON' } };
    },
  });
} else {
  const bytes = fs.readFileSync(`${file}.bin`);
  const weightData = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
  const model = await tf.loadLayersModel({
    load: async () => ({ ...JSON.parse(fs.readFileSync(file, 'utf8')), weightData }),
  });
  const scores = model.predict(tf.ones([1, 28, 28, 1]));
  await scores.data();
  console.log(scores.shape);
}
