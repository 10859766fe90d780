import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { addDataCommands } from './program-data.js';
import { addInfoCommands } from './program-info.js';
import { addTrainingCommands } from './program-training.js';

/** What follows every help text. */
const EXIT_CODES = `
Exit codes: 0 done, 1 failed, 2 the command line or a configuration file is wrong, 130 interrupted by Ctrl-C.
Results go to standard output, all else to standard error; with --json standard output is JSON and nothing else.`;

/**
 * The commands with their options and help. Nothing of the library is loaded here: each command loads its module when it
 * runs, so that help and usage errors come at once.
 */
export function buildProgram(): Command {
  const program = new Command('fovea')
    .description('Train and run convolutional networks at native speed.')
    .version(version(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help; every command has its own: fovea train --help')
    .showSuggestionAfterError()
    .exitOverride();
  addInfoCommands(program);
  addTrainingCommands(program);
  addDataCommands(program);
  program.addHelpText(
    'after',
    `
Begin with:
  fovea doctor                                       is everything there?
  fovea train --model fashion_cnn --data fashion-mnist --epochs 2
  fovea predict --model resnet50 photo.jpg           what is in the picture?
${EXIT_CODES}`,
  );
  for (const command of allCommands(program)) {
    command.exitOverride();
    if (command !== program) {
      command.showHelpAfterError(`(fovea ${pathOf(command)} --help tells more)`);
      command.helpOption('-h, --help', 'print this help');
    }
  }
  return program;
}

function allCommands(command: Command): Command[] {
  return [command, ...command.commands.flatMap(allCommands)];
}

function pathOf(command: Command): string {
  const { parent } = command;
  return parent?.parent ? `${pathOf(parent)} ${command.name()}` : command.name();
}

/** From package.json, two folders up from lib/cli/ or three from dist/lib/cli/. */
function version(): string {
  for (const up of ['../../', '../../../']) {
    try {
      const text = readFileSync(new URL(`${up}package.json`, import.meta.url), 'utf8');
      return (JSON.parse(text) as { version: string }).version;
    } catch {
      // The other place.
    }
  }
  return 'unknown';
}
