import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { program } from '../support/program.js';

const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
const FOLDER = path.join(ROOT, 'examples/chapter');
const programs = readdirSync(FOLDER).filter((name) => name.startsWith('14'));
const training = programs.filter((name) => !name.startsWith('14-6'));

function run(name: string, flags: readonly string[]): string {
  const section = program(path.join(FOLDER, name));
  const result = spawnSync(process.execPath, [section, ...flags], { cwd: ROOT, encoding: 'utf8' });
  expect(result.stderr, result.stdout).not.toMatch(/Error/);
  expect(result.status).toBe(0);
  return result.stdout;
}

test('every section of the chapter has its program', () => {
  const sections = programs.map((name) => /^14(-\d)+/.exec(name)![0].replaceAll('-', '.'));
  const wanted = ['14.4', ...[1, 2, 3, 4, 5, 6, 7].map((n) => `14.4.${n}`), '14.5', '14.6'];
  expect(sections).toEqual(expect.arrayContaining(wanted));
});

test.each(training)('%s trains', { timeout: 180_000 }, (name) => {
  const output = run(name, ['--images', '8', '--batch-size', '4', '--epochs', '1']);
  const loss = Number(/loss: (\d+\.\d+)/.exec(output)![1]);
  // Ten classes and no knowledge: about ln 10, more where batch normalization meets four images.
  expect(loss).toBeGreaterThan(0.5);
  expect(loss).toBeLessThan(30);
  expect(output).toMatch(/test accuracy \d\.\d{4}/);
});

test('14-6-pretrained.ts names what is on photos', { timeout: 180_000 }, () => {
  const photo = path.join(ROOT, 'test/golden/files/rocket.jpg');
  const output = run('14-6-pretrained.ts', ['--weights', 'none', '--top', '3', photo]);
  expect(output.split('\n')[0]).toBe(photo);
  expect(output.match(/^ {2}n\d{8} - .+ \d+\.\d\d%$/gm)).toHaveLength(3);
});
