#!/usr/bin/env node
import { runCli } from './run.js';

// `fovea models | head` closes the pipe before all is written: that is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
});

process.exitCode = await runCli(process.argv.slice(2));
