import type { Graph, Pass } from '../ir.js';
import { commonSubexpressions } from './common-subexpressions.js';
import { deadCode } from './dead-code.js';
import { earlyUpdates } from './early-updates.js';
import { foldAffine } from './fold-affine.js';
import { foldCasts, takeWideOperands } from './fold-casts.js';
import { fuseElementwise } from './fuse-elementwise.js';
import { fuseEpilogues } from './fuse-epilogues.js';
import { groupUpdates } from './group-updates.js';
import { inlineScalars } from './inline-scalars.js';
import { recompute } from './recompute.js';
import { updatesLast } from './schedule.js';
import { updatesInStrips } from './updates-in-strips.js';
import { splitSteady, type Split } from '../steady.js';

/** The passes that only make a plan faster, by the name they are switched off with. */
const OPTIONAL = {
  commonSubexpressions,
  foldAffine,
  foldCasts,
  fuseEpilogues,
  recompute,
  fuseElementwise,
  earlyUpdates,
  groupUpdates,
  updatesInStrips,
} satisfies Record<string, Pass>;

/** `hoistSteady` runs what depends on steady variables only when they change; `foldAffine` builds on it. */
export type PassName = keyof typeof OPTIONAL | 'hoistSteady';
export const PASS_NAMES = [...Object.keys(OPTIONAL), 'hoistSteady'] as PassName[];

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

const optional = (name: keyof typeof OPTIONAL, g: Graph): Graph => (off.has(name) ? g : OPTIONAL[name](g));

/** Runs all passes in their order. */
export function optimize(graph: Graph): Graph {
  return fuse(simplify(graph));
}

/** As {@link optimize}, with what depends on steady values only in a graph of its own. */
export function optimizeSplit(graph: Graph): { main: Graph; setup?: Graph } {
  if (off.has('hoistSteady')) return { main: optimize(graph) };
  const simple = simplify(graph);
  const split: Split | undefined = splitSteady(off.has('foldAffine') ? simple : deadCode(foldAffine(simple)));
  return split ? { main: fuse(split.main), setup: fuse(split.setup) } : { main: fuse(simple) };
}

function simplify(graph: Graph): Graph {
  let g = inlineScalars(graph);
  g = optional('commonSubexpressions', g);
  g = deadCode(optional('foldCasts', g));
  return updatesLast(g);
}

function fuse(graph: Graph): Graph {
  let g = optional('fuseEpilogues', graph);
  // Only now biases are operands.
  if (!off.has('foldCasts')) g = deadCode(takeWideOperands(g));
  g = optional('recompute', g);
  g = optional('fuseElementwise', g);
  g = optional('earlyUpdates', g);
  g = optional('groupUpdates', g);
  return optional('updatesInStrips', g);
}
