/**
 * 14.6, pretrained models: ResNet-50 with the weights that Keras publishes, on photos.
 *
 *     node --import tsx examples/chapter/14-6-pretrained.ts photo.jpg [more photos]
 *
 * The weights (103 MB) are downloaded once. `--weights none` shows the steps without them, `--weights FILE` takes a file.
 */
import { parseArgs } from 'node:util';
import { tensor, vision, type Tensor } from '../../lib/index.js';
import { createModel } from '../../models/index.js';

const { values: flags, positionals: photos } = parseArgs({
  allowPositionals: true,
  options: { weights: { type: 'string', default: 'imagenet' }, top: { type: 'string', default: '3' } },
});
if (photos.length === 0) throw new Error('expected the paths of photos');

const model =
  flags.weights === 'none' ? createModel('resnet50') : await createModel('resnet50', { weights: flags.weights });

// Resized to what the network was trained on, then prepared as its weights expect: BGR, without ImageNet's mean colour.
const images = await Promise.all(
  photos.map((photo) => vision.loadImage(photo, { size: 224, interpolation: 'bilinear' })),
);
const batch = vision.stackImages(images.map((image) => vision.preprocessInput(image, 'resnet50')));

const probabilities = (await model.predict(tensor(batch.data, batch.shape))) as Tensor;
const names = await vision.decodePredictions(probabilities, { top: Number(flags.top) });
for (const [i, photo] of photos.entries()) {
  console.log(photo);
  for (const { wnid, name, probability } of names[i]!) {
    console.log(`  ${wnid} - ${name.padEnd(20)} ${(100 * probability).toFixed(2)}%`);
  }
}
