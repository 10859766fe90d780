import type { Command } from 'commander';
import { count, imageSize, number, shape } from './arguments.js';
import type { BenchOptions } from './commands/bench.js';
import type { EvaluateOptions } from './commands/evaluate.js';
import type { TrainOptions } from './commands/train.js';
import { Output } from './output.js';

interface Json {
  readonly json?: boolean;
}

const DATA = 'fashion-mnist, mnist, cifar10, cifar100, image-folder or tf-flowers';

/** `train`, `evaluate`, `bench`. */
export function addTrainingCommands(program: Command): void {
  program
    .command('train')
    .description('train a network, and leave everything needed to repeat it in a run folder')
    .option('--config <file.json>', 'a configuration; flags win over it')
    .option('--resume <run>', 'go on with an interrupted run, bit for bit; --epochs may be raised')
    .option('--model <name>', 'a name from `fovea models`, or a saved model')
    .option('--weights <name>', 'begin with published weights (imagenet) or a file, below a new classifier')
    .option('--data <name>', DATA)
    .option('--folder <dir>', 'where the images are; found or downloaded otherwise')
    .option('--image-size <n>', 'resize images: 160, or height,width', imageSize)
    .option('--limit <n>', 'use the first n images only', count())
    .option('--validation-split <x>', 'part of the training images to validate with (default: 0.1)', number(0))
    .option('--epochs <n>', 'passes over the images (default: 1)', count())
    .option('--batch-size <n>', 'images a step (default: 32)', count())
    .option('--optimizer <name>', 'sgd, adam, adamw, nadam, rmsprop, ... (default: adam)')
    .option('--learning-rate <x>', "the optimizer's own unless given", number(0))
    .option('--schedule <name>', 'of the learning rate: cosineDecay falls to 0 over the run')
    .option('--precision <name>', 'float32, mixed_bfloat16 or mixed_float16 (default: float32)')
    .option('--device <name>', 'see `fovea devices`')
    .option('--seed <n>', 'of weights, order and dropout (default: 42)', count(0))
    .option(
      '--early-stopping <epochs>',
      'end when val_loss has not improved for so long; keep the best weights',
      count(0),
    )
    .option('--tensorboard', 'write event files into the run folder')
    .option('--checkpoint-every <n>', 'write the checkpoint every n batches too', count())
    .option('--runs <dir>', 'the folder of run folders', 'runs')
    .option('--name <name>', "part of the run folder's name")
    .option('--schema', 'print the JSON schema of configurations, and train nothing')
    .option('--json', 'print the result as JSON')
    .addHelpText(
      'after',
      `
Examples:
  fovea train --model fashion_cnn --data fashion-mnist --epochs 10 --optimizer nadam --schedule cosineDecay
  fovea train --model resnet18 --data image-folder --folder photos/ --image-size 160 --early-stopping 3
  fovea train --model xception --weights imagenet --data tf-flowers --image-size 224 --epochs 5
  fovea train --config train.json --seed 7
  fovea train --resume runs/2026-11-24-fashion-cnn-fashion-mnist-001

A configuration has the same and more (fovea train --schema > schema.json lets an editor help):
  {
    "model": { "name": "resnet18", "dropout": 0.2 },
    "data": { "name": "cifar10", "validationSplit": 0.1 },
    "optimizer": { "name": "sgd", "learningRate": 0.1, "momentum": 0.9 },
    "schedule": "cosineDecay",
    "epochs": 30,
    "batchSize": 128,
    "callbacks": { "earlyStopping": { "patience": 5 }, "modelCheckpoint": true, "tensorBoard": true }
  }

Ctrl-C ends training after the running batch, with a checkpoint; a second Ctrl-C ends it at once.
The run folder: config.json, run.json (versions, device, data, command line), history.csv and .json, curves.svg,
checkpoint.safetensors, model/.`,
    )
    .action(async (options: TrainOptions & Json) =>
      (await import('./commands/train.js')).run(options, new Output(!!options.json)),
    );

  program
    .command('evaluate')
    .description('measure loss and metrics of a saved model on a data set')
    .argument('<model>', 'a saved model, or a run folder (which knows its data)')
    .option('--data <name>', DATA)
    .option('--folder <dir>', 'where the images are')
    .option('--image-size <n>', 'resize images: 160, or height,width', imageSize)
    .option('--split <name>', 'train, validation or test', 'test')
    .option('--limit <n>', 'use the first n images only', count())
    .option('--batch-size <n>', 'images a step', count())
    .option('--loss <name>', 'sparseCategoricalCrossentropy unless given')
    .option('--device <name>', 'see `fovea devices`')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  fovea evaluate runs/2026-11-24-fashion-cnn-fashion-mnist-001\n  fovea evaluate my-model --data cifar10 --json',
    )
    .action(async (model: string, options: EvaluateOptions & Json) =>
      (await import('./commands/evaluate.js')).run(model, options, new Output(!!options.json)),
    );

  program
    .command('bench')
    .description("time a model's training step and inference on this machine")
    .argument('<model>', 'a name from `fovea models`, or a saved model')
    .option('--batch-size <n>', 'images a step', count(), 32)
    .option('--mode <name>', 'train, predict or both', 'both')
    .option('--steps <n>', 'steps that are timed', count(), 20)
    .option('--precision <name>', 'float32, mixed_bfloat16 or mixed_float16', 'float32')
    .option('--input-shape <sizes>', 'height, width, channels', shape)
    .option('--device <name>', 'see `fovea devices`')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nA time says something only beside another one taken on the same machine at the same time.\n\n' +
        'Examples:\n  fovea bench resnet50 --batch-size 1 --mode predict\n  fovea bench fashion_cnn --precision mixed_bfloat16',
    )
    .action(async (model: string, options: BenchOptions & Json) =>
      (await import('./commands/bench.js')).run(model, options, new Output(!!options.json)),
    );
}
