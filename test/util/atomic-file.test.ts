import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readdir, readFile, readlink, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { writeFileAtomic, writeJsonAtomic } from '../../lib/util/atomic-file.js';
import { program } from '../support/program.js';

let folder = '';
beforeEach(async () => (folder = await mkdtemp(path.join(tmpdir(), 'fovea-atomic-'))));
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('writeFileAtomic', () => {
  it('writes text, bytes and pieces, over what was there, making folders', async () => {
    const file = path.join(folder, 'a', 'b', 'file');
    await writeFileAtomic(file, 'text');
    expect(await readFile(file, 'utf8')).toBe('text');
    await writeFileAtomic(file, Uint8Array.of(1, 2));
    expect([...(await readFile(file))]).toEqual([1, 2]);
    await writeFileAtomic(file, [Uint8Array.of(3), Uint8Array.of(4, 5)]);
    expect([...(await readFile(file))]).toEqual([3, 4, 5]);
    await writeFileAtomic(
      file,
      (async function* () {
        yield Uint8Array.of(6);
      })(),
    );
    expect([...(await readFile(file))]).toEqual([6]);
    await writeJsonAtomic(file, { a: [1] });
    expect(await readFile(file, 'utf8')).toBe('{\n  "a": [\n    1\n  ]\n}\n');
    expect(await readdir(path.dirname(file))).toEqual(['file']);
  });

  it('writes through a symbolic link', async () => {
    await writeFile(path.join(folder, 'real'), 'old');
    await symlink('real', path.join(folder, 'link'));
    await writeFileAtomic(path.join(folder, 'link'), 'new');
    expect(await readlink(path.join(folder, 'link'))).toBe('real');
    expect(await readFile(path.join(folder, 'real'), 'utf8')).toBe('new');
  });

  it('leaves the old file and nothing else when the content fails half-way', async () => {
    const file = path.join(folder, 'file');
    await writeFileAtomic(file, 'old');
    const content = (function* () {
      yield Buffer.alloc(100_000);
      throw new Error('no more');
    })();
    await expect(writeFileAtomic(file, content)).rejects.toMatchObject({
      code: 'ERR_FILE',
      message: `cannot write ${file}: no more`,
    });
    expect(await readFile(file, 'utf8')).toBe('old');
    expect(await readdir(folder)).toEqual(['file']);
  });

  it('says which file cannot be written', async () => {
    await writeFile(path.join(folder, 'file'), '');
    const below = path.join(folder, 'file', 'x');
    await expect(writeFileAtomic(below, '')).rejects.toThrow(`cannot write ${below}: `);
    if (process.getuid?.() !== 0) {
      await chmod(folder, 0o500);
      await expect(writeFileAtomic(path.join(folder, 'x'), '')).rejects.toMatchObject({ code: 'ERR_FILE' });
      await chmod(folder, 0o700);
    }
  });

  it('removes old leftovers of killed processes, and only those', async () => {
    const dead = spawn(process.execPath, ['-e', '']);
    await once(dead, 'exit');
    const old = new Date(Date.now() - 120_000);
    const leave = async (name: string, date: Date) => {
      await writeFile(path.join(folder, name), '');
      await utimes(path.join(folder, name), date, date);
    };
    await leave(`.file.${dead.pid}-0123456789ab.tmp`, old);
    await leave(`.file.${dead.pid}-0123456789ac.tmp`, new Date());
    await leave(`.file.${process.pid}-0123456789ad.tmp`, old);
    await leave(`.other.${dead.pid}-0123456789ae.tmp`, old);
    await writeFileAtomic(path.join(folder, 'file'), 'x');
    expect((await readdir(folder)).sort()).toEqual(
      [
        `.file.${dead.pid}-0123456789ac.tmp`,
        `.file.${process.pid}-0123456789ad.tmp`,
        `.other.${dead.pid}-0123456789ae.tmp`,
        'file',
      ].sort(),
    );
  });

  it('never leaves a half-written file when the process is killed while saving', async () => {
    const file = path.join(folder, 'model');
    const writer = program(path.join(import.meta.dirname, 'atomic-file-writer.ts'));
    for (let round = 0; round < 8; round++) {
      const child = spawn(process.execPath, [writer, file], { stdio: ['ignore', 'pipe', 'inherit'] });
      await once(child.stdout, 'data');
      await wait(5 + 13 * round);
      child.kill('SIGKILL');
      await once(child, 'exit');
      const content = await readFile(file);
      expect(content.length).toBe(4 * 1024 * 1024);
      expect(content.equals(Buffer.alloc(content.length, content[0]))).toBe(true);
    }
  });
});
