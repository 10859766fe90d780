import type { Graph, Pass } from '../ir.js';
import { commonSubexpressions } from './common-subexpressions.js';
import { deadCode } from './dead-code.js';
import { fuseElementwise } from './fuse-elementwise.js';
import { fuseEpilogues } from './fuse-epilogues.js';
import { inlineScalars } from './inline-scalars.js';
import { updatesLast } from './schedule.js';

/** The passes that only make a plan faster, by the name they are switched off with. */
const OPTIONAL = { commonSubexpressions, fuseEpilogues, fuseElementwise } satisfies Record<string, Pass>;

export type PassName = keyof typeof OPTIONAL;
export const PASS_NAMES = Object.keys(OPTIONAL) as PassName[];

const off = new Set<PassName>((process.env['FOVEA_DISABLE_PASSES']?.split(',') ?? []) as PassName[]);

/** Switches passes off (and all others on), for tests and for finding faults; `FOVEA_DISABLE_PASSES` does the same. */
export function disablePasses(...names: PassName[]): void {
  off.clear();
  for (const name of names) off.add(name);
}

/** Which passes are off: part of a plan's signature. */
export function disabledPasses(): string {
  return [...off].sort().join();
}

/** Runs all passes in their order. */
export function optimize(graph: Graph): Graph {
  const optional = (name: PassName, g: Graph): Graph => (off.has(name) ? g : OPTIONAL[name](g));
  let g = inlineScalars(graph);
  g = optional('commonSubexpressions', g);
  g = deadCode(g);
  g = updatesLast(g);
  g = optional('fuseEpilogues', g);
  return optional('fuseElementwise', g);
}
