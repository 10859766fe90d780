import type { Command } from 'commander';

/** `predict`, `weights`, `convert`: images and files. */
export function addDataCommands(_program: Command): void {}
