/**
 * Trains small networks on `cuda:0` while the emulator makes one call after the other fail, in one process, and writes
 * what happened as one line of JSON. Arguments: the file of FOVEA_EMU_FAIL, and a {@link Wish}.
 */
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { backendOf } from '../../lib/backends/registry.js';
import { FoveaError, ops, setDevice, tensor } from '../../lib/index.js';
import { faultBatch, faultNetwork } from './fault-network.js';

/** What to do: the faults of a row are injected one after the other into trainings that begin anew. */
export interface Wish {
  readonly faults: readonly string[];
  /** Whether the network of each training is trained on after its fault; otherwise only one at the end is. */
  readonly trainOn: boolean;
  /** A product of batches of matrices takes the place of the network. */
  readonly what?: 'network' | 'products';
}

/** One fault: what fired, what was thrown, and the losses before it and, of the same network, after it. */
export interface Row {
  readonly fault: string;
  readonly fired: readonly string[];
  readonly error?: { readonly code: string; readonly op: string | undefined; readonly message: string };
  /** Whether the fault took weights that were being drawn, so that only another network trains on. */
  readonly anew?: boolean;
  readonly losses: readonly number[];
  /** Bytes on the device when all networks are gone. */
  readonly bytes: number;
}

const STEPS = 4;
/** Steps after which a fault that was not reached is not waited for any more. */
const MORE_STEPS = 12;
const [file, wish] = [process.argv[2]!, JSON.parse(process.argv[3]!) as Wish];
const collect = (globalThis as { gc?: () => void }).gc!;

function inject(fault: string): void {
  rmSync(`${file}.fired`, { force: true });
  writeFileSync(`${file}.new`, `${fault}\n`);
  renameSync(`${file}.new`, file);
}

function firedSince(): string[] {
  return existsSync(`${file}.fired`) ? readFileSync(`${file}.fired`, 'utf8').trim().split('\n') : [];
}

/** @param filters - other numbers make convolutions that no plan was looked for yet */
function network(filters: number): { step: () => Promise<number> } {
  const model = faultNetwork(filters);
  const step = async (): Promise<number> => (await model.trainOnBatch(...faultBatch())).loss!;
  return { step };
}

/** What has no layer of its own. */
function products(): { step: () => Promise<number> } {
  const wave = (...shape: number[]) =>
    tensor(
      Float32Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) => Math.sin(i)),
      shape,
    );
  return { step: async () => ops.sum(ops.matmul(wave(2, 3, 4), wave(2, 4, 5))).item() };
}

/** A training into which a fault is injected, and how it went on. */
async function row(fault: string, trainOn: boolean, filters = 4): Promise<Omit<Row, 'bytes'>> {
  const losses: number[] = [];
  let error: Row['error'];
  let anew = false;
  let trained: ReturnType<typeof network> | undefined;
  inject(fault);
  // Memory that the garbage collector gives back meanwhile moves a step's operands: then a plan repeats, and is recorded,
  // some steps later.
  const waits = (step: number): boolean => step < STEPS + MORE_STEPS && fault !== '' && firedSince().length === 0;
  for (let step = 0; losses.length < STEPS || waits(step); step++) {
    try {
      trained ??= wish.what === 'products' ? products() : network(filters); // Drawing weights may fail too.
      const loss = await trained.step();
      if (losses.length < STEPS) losses.push(loss);
    } catch (e) {
      if (!(e instanceof FoveaError)) throw e;
      if (error !== undefined) {
        if (anew || e.message !== error.message) throw e;
        anew = true;
        trained = undefined;
        continue;
      }
      error = { code: e.code, op: e.op, message: e.message };
      if (!trainOn) break;
      const fired = firedSince();
      inject('');
      writeFileSync(`${file}.fired`, fired.join('\n'));
    }
  }
  return { fault, fired: firedSince(), losses, ...(error && { error }), ...(anew && { anew }) };
}

/** Finalizers run between turns of the event loop. */
async function bytesWhenIdle(): Promise<number> {
  for (let i = 0; i < 4; i++) {
    collect();
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  return backendOf('cuda:0').memory().bytes;
}

setDevice('cuda:0');
const rows: Row[] = [];
for (const fault of wish.faults) {
  const filters = wish.trainOn ? 4 : 5 + rows.length;
  rows.push({ ...(await row(fault, wish.trainOn, filters)), bytes: await bytesWhenIdle() });
}
rows.push({ ...(await row('', true)), bytes: await bytesWhenIdle() });
console.log(JSON.stringify(rows));
