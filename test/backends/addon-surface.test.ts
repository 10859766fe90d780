import * as fs from 'node:fs';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { loadAddon } from '../../lib/backends/native/load.js';
import { externalsPlan } from '../support/addon.js';

const declarations = new URL('../../lib/backends/native/addon.d.ts', import.meta.url);
const loaded = loadAddon();

/** Names of the members that an interface in addon.d.ts declares. */
function declared(interfaceName: string): string[] {
  const source = ts.createSourceFile('addon.d.ts', fs.readFileSync(declarations, 'utf8'), ts.ScriptTarget.Latest);
  for (const statement of source.statements) {
    if (ts.isInterfaceDeclaration(statement) && statement.name.text === interfaceName) {
      return statement.members.map((member) => (member.name as ts.Identifier).text).sort();
    }
  }
  throw new Error(`no interface ${interfaceName}`);
}

const membersOf = (object: object): string[] =>
  Object.getOwnPropertyNames(Object.getPrototypeOf(object))
    .filter((name) => name !== 'constructor')
    .sort();

describe.skipIf(!('addon' in loaded))('the addon has the members that addon.d.ts declares, and no others:', () => {
  const { addon } = loaded as Extract<typeof loaded, { addon: unknown }>;

  it('the addon itself', () => {
    expect(Object.keys(addon).sort()).toEqual(declared('NativeAddon'));
  });

  it('buffers', () => {
    const buffer = addon.createBuffer('cpu', 'float32', 1);
    expect(membersOf(buffer)).toEqual(declared('NativeBuffer'));
    expect([buffer.dtype, buffer.size, buffer.device]).toEqual(['float32', 1, 'cpu']);
    buffer.dispose();
  });

  it('plans', () => {
    const plan = addon.createPlan('cpu', externalsPlan(0, 0, []));
    expect(membersOf(plan)).toEqual(declared('NativePlan'));
    plan.dispose();
  });

  it('memory statistics', () => {
    expect(Object.keys(addon.memory('cpu')).sort()).toEqual(declared('NativeMemory'));
  });

  it('devices', () => {
    const { present, missing } = addon.devices();
    expect(missing.filter(({ name }) => !name.startsWith('cuda'))).toEqual([]);
    expect(present.map(({ name, kind }) => ({ name, kind }))).toContainEqual({ name: 'cpu', kind: 'cpu' });
  });

  it('kernels: those of docs/kernels.md', () => {
    const docs = fs.readFileSync(new URL('../../docs/kernels.md', import.meta.url), 'utf8');
    const rows = docs.split('\n').filter((line) => line.startsWith('| `'));
    const names = rows.flatMap((row) => [...row.split('|')[1]!.matchAll(/`(\w+)`/g)].map((match) => match[1]!));
    expect([...addon.kernels].sort()).toEqual(names.sort());
  });
});
