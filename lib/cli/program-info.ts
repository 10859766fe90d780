import type { Command } from 'commander';
import { count, shape } from './arguments.js';
import type { ModelsOptions } from './commands/models.js';
import type { SummaryCommandOptions } from './commands/summary.js';
import { Output } from './output.js';

interface Json {
  readonly json?: boolean;
}

/** `devices`, `doctor`, `models`, `summary`: what there is. */
export function addInfoCommands(program: Command): void {
  program
    .command('devices')
    .description('list the devices that can compute, and those that were looked for in vain, with the reason')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  fovea devices\n  FOVEA_DEVICE=reference fovea devices      which one is chosen',
    )
    .action(async (options: Json) => (await import('./commands/devices.js')).run(new Output(!!options.json)));

  program
    .command('doctor')
    .description('check the installation: what is missing, why, and what to do about it')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExits with 0 when training works here, be it slowly; with 1 when it does not.')
    .action(async (options: Json) => (await import('./commands/doctor.js')).run(new Output(!!options.json)));

  program
    .command('models')
    .description('list the networks of the zoo, with parameters, multiply-adds and published accuracies')
    .argument('[pattern]', 'only those whose name contains this')
    .option('--sort <key>', 'by year, name, parameters, flops or top1', 'year')
    .option('--json', 'print JSON, with papers and sources')
    .addHelpText('after', '\nExamples:\n  fovea models\n  fovea models resnet --sort top1\n  fovea models --json')
    .action(async (pattern: string | undefined, options: ModelsOptions & Json) =>
      (await import('./commands/models.js')).run(pattern, options, new Output(!!options.json)),
    );

  program
    .command('summary')
    .description("print a model's layers, shapes and parameters")
    .argument('<model>', 'a name from `fovea models`, a saved model (folder or file), or a run folder')
    .option('--input-shape <sizes>', 'height, width, channels, for a network of the zoo: 160,160,3', shape)
    .option('--classes <n>', 'classes, for a network of the zoo', count())
    .option('--no-top', 'without the classifier, for a network of the zoo')
    .option('--width <n>', 'characters of a line', count(40))
    .option('--expand', 'show the layers of models in the model')
    .option('--plot <file.svg>', 'also draw the graph into a file')
    .option('--json', 'print JSON: layers, shapes, parameters, multiply-adds')
    .addHelpText(
      'after',
      '\nExamples:\n  fovea summary resnet50\n  fovea summary vgg16 --input-shape 64,64,3 --classes 10\n' +
        '  fovea summary runs/2026-11-24-train-001 --plot graph.svg',
    )
    .action(async (model: string, options: SummaryCommandOptions & Json) =>
      (await import('./commands/summary.js')).run(model, options, new Output(!!options.json)),
    );
}
