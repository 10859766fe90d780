import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { listModels } from '../../models/index.js';

const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
const PAGE = readFileSync(path.join(ROOT, 'docs/models.md'), 'utf8');

describe('docs/models.md', () => {
  test('the table is the registry', () => {
    const rows = [...PAGE.matchAll(/^\| `(\w+)`\s*\|(.*)\|$/gm)]
      .map(([, name, rest]) => ({ name: name!, cells: rest!.split('|').map((cell) => cell.trim()) }))
      .filter(({ cells }) => cells.length === 7);
    const models = listModels();
    expect(rows.map(({ name }) => name)).toEqual(models.map(({ name }) => name));
    for (const [i, info] of models.entries()) {
      const [year, image, parameters, statistics, multiplyAdds, preprocessing, weights] = rows[i]!.cells;
      const plain = (text: string): number => Number(text.replaceAll(',', ''));
      expect([Number(year), image, plain(parameters!), plain(statistics!), preprocessing], info.name).toEqual([
        info.year,
        info.inputShape.join('×'),
        info.parameters,
        info.statistics,
        info.preprocessing,
      ]);
      const [, number, unit] = /^([\d.]+) ([GM])$/.exec(multiplyAdds!)!;
      const counted = info.multiplyAdds / (unit === 'G' ? 1e9 : 1e6);
      expect(Math.abs(Number(number) - counted), info.name).toBeLessThanOrEqual(unit === 'G' ? 0.005 : 0.05);
      for (const published of info.weights) {
        expect(weights).toContain(`${published.source} \`${published.name}\` `);
        expect(weights).toContain(String(published.top1.toFixed(published.source === 'keras' ? 1 : 2)));
      }
    }
  });

  test('its program runs', { timeout: 120_000 }, () => {
    // In the tree, so that packages are found; `runs` is not tracked.
    mkdirSync(path.join(ROOT, 'runs'), { recursive: true });
    const folder = mkdtempSync(path.join(ROOT, 'runs', 'docs-'));
    try {
      const page = PAGE.slice(PAGE.indexOf('## Writing your own'));
      const blocks = [...page.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code]) => code!);
      const program = blocks
        .join('\n')
        .replaceAll("from 'fovea'", "from '../../lib/index.js'")
        .replace("'small-senet.svg'", JSON.stringify(path.join(folder, 'model.svg')));
      const file = path.join(folder, 'program.ts');
      writeFileSync(file, program);
      const result = spawnSync(process.execPath, ['--import', 'tsx', file], { cwd: ROOT, encoding: 'utf8' });
      expect(result.stderr).not.toMatch(/Error/);
      expect(result.status).toBe(0);
      expect(result.stdout).toContain('Trainable params: 2,800,130');
      expect(result.stdout).toMatch(/^\d+ multiply-adds$/m);
      expect(readFileSync(path.join(folder, 'model.svg'), 'utf8')).toContain('small_senet');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
