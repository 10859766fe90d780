import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';
import { generateImages } from '../../examples/images/generate.js';

const ROOT = path.resolve(import.meta.dirname, '../..');

test('the program of docs/data.md runs, twice: the second time from its cache', { timeout: 120_000 }, async () => {
  const page = readFileSync(path.join(ROOT, 'docs/data.md'), 'utf8');
  const [, code] = /```ts\n([\s\S]*?)```/.exec(page)!;
  // In the tree, so that packages are found; `runs` is not tracked.
  mkdirSync(path.join(ROOT, 'runs'), { recursive: true });
  const folder = mkdtempSync(path.join(ROOT, 'runs', 'docs-data-'));
  try {
    await generateImages('flowers', path.join(folder, 'flower_photos'), { perClass: 8, size: 32 });
    writeFileSync(path.join(folder, 'flower_photos', 'rose', '0003.jpg'), 'no image');
    cpSync(
      path.join(folder, 'flower_photos', 'tulip', '0000.jpg'),
      path.join(folder, 'flower_photos', 'tulip', 'a.jpeg'),
    );
    writeFileSync(path.join(folder, 'program.ts'), code!.replace("from 'fovea'", "from '../../lib/index.js'"));
    const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
    const outputs = [1, 2].map(() => {
      const result = spawnSync(process.execPath, ['--import', tsx, 'program.ts'], { cwd: folder, encoding: 'utf8' });
      expect(result.stderr).not.toMatch(/Error/);
      expect(result.status).toBe(0);
      return result.stdout;
    });
    expect(outputs[0]).toMatch(/Epoch 2\/2 .* val_accuracy: \d/);
    expect(outputs[0]).toMatch(/^buttercup,daisy,dandelion,rose,tulip 31 6 4 1$/m);
    expect(outputs[1]).toMatch(/^buttercup,daisy,dandelion,rose,tulip 31 6 4 0$/m);
    expect(readdirSync(path.join(folder, 'flower-cache')).sort()).toEqual(['cache.json', 'done.json', 'elements.bin']);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
