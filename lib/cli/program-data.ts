import type { Command } from 'commander';
import { count, shape } from './arguments.js';
import type { ConvertOptions } from './commands/convert.js';
import type { PredictOptions } from './commands/predict.js';
import type { PullCommandOptions } from './commands/weights.js';
import { Output } from './output.js';

interface Json {
  readonly json?: boolean;
}

/** `predict`, `weights`, `convert`: images and files. */
export function addDataCommands(program: Command): void {
  program
    .command('predict')
    .description('say what is in images')
    .argument('<images...>', 'files: JPEG, PNG, WebP, ...')
    .requiredOption('--model <name>', 'a name from `fovea models`, a saved model, or a run folder')
    .option('--weights <name>', "imagenet (downloaded once), a publisher's name, a file, or none", 'imagenet')
    .option('--top <n>', 'how many classes of each image', count(), 5)
    .option('--scale <name>', 'how pixels become inputs of a saved model: unit (0 to 1), none, tf, caffe, torch')
    .option('--classes <file>', 'the names of the classes, one a line')
    .option('--batch-size <n>', 'images at once', count(), 16)
    .option('--device <name>', 'see `fovea devices`')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
Images are prepared as the publisher of the weights did: size, crop, interpolation, scale.
An image that cannot be read is told, the others are looked at, and the exit code is 1.

Examples:
  fovea predict --model resnet50 photo.jpg
  fovea predict --model mobilenet_v2 --top 1 --json *.jpg
  fovea predict --model runs/2026-11-24-resnet18-image-folder-001 flower.png`,
    )
    .action(async (images: string[], options: PredictOptions & Json) =>
      (await import('./commands/predict.js')).run(images, options, new Output(!!options.json)),
    );

  const weights = program
    .command('weights')
    .description('published weights: what there is, what is here, download, check')
    .addHelpText(
      'after',
      `
Files are kept in the cache folder (FOVEA_CACHE, see \`fovea doctor\`). FOVEA_HUB names another server that has them.

Examples:
  fovea weights list
  fovea weights pull resnet50 vgg16
  fovea weights verify`,
    );
  weights
    .command('list')
    .description('list published weights and whether they are here')
    .argument('[model]', 'only those of one network')
    .option('--here', 'only those that are here, as a whole or in part')
    .option('--json', 'print JSON, with addresses and paths')
    .action(async (model: string | undefined, options: { here?: boolean } & Json) =>
      (await import('./commands/weights.js')).list(model, options, new Output(!!options.json)),
    );
  weights
    .command('pull')
    .description('download weights, or go on with a download that was broken off')
    .argument('<models...>', 'names from `fovea weights list`')
    .option('--name <name>', "the publisher's name of the weights; the network's preferred ones unless given")
    .option('--no-top', 'without the classifier, where there is such a file')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  fovea weights pull resnet50\n  fovea weights pull resnet50 --name IMAGENET1K_V1',
    )
    .action(async (models: string[], options: PullCommandOptions & Json) =>
      (await import('./commands/weights.js')).pull(models, options, new Output(!!options.json)),
    );
  weights
    .command('verify')
    .description('read the files that are here and compare them with what they must be')
    .argument('[model]', 'only those of one network')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExits with 1 when a file is damaged.')
    .action(async (model: string | undefined, options: Json) =>
      (await import('./commands/weights.js')).verify(model, new Output(!!options.json)),
    );

  program
    .command('convert')
    .description('convert a model, or weights of a network of the zoo, to another format')
    .argument('<source>', 'a saved model (folder, .safetensors, .keras, .h5, tfjs model.json), or weights with --model')
    .argument('<target>', 'a folder, .safetensors, .keras, .h5, .weights.h5 or .onnx')
    .option('--model <name>', 'the network of the zoo that the weights in <source> belong to (.pth, .h5, ...)')
    .option('--classes <n>', 'its classes, where they are not ImageNet', count())
    .option('--input-shape <sizes>', 'its input: 160,160,3', shape)
    .option('--weights-only', 'write weights without the architecture (.safetensors)')
    .option('--force', 'replace <target> when it is there')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
Examples:
  fovea convert my-model my-model.keras
  fovea convert model.json my-model                         from TensorFlow.js
  fovea convert resnet50.pth resnet50.onnx --model resnet50
  fovea convert runs/2026-11-24-train-001 classifier.onnx`,
    )
    .action(async (source: string, target: string, options: ConvertOptions & Json) =>
      (await import('./commands/convert.js')).run(source, target, options, new Output(!!options.json)),
    );
}
