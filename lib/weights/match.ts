import { FoveaError } from '../errors.js';
import { formatShape, sameShape, type Shape } from '../tensor/shape.js';

/** A tensor as far as matching is concerned. */
export interface Shaped {
  readonly shape: Shape;
}

/** A tensor in a file. */
export interface FoundTensor extends Shaped {
  /** As the file calls it; for the reader, matching does not look at it. */
  readonly dtype: string;
}

export interface MatchOptions {
  /** `'name'` (default): equal names belong together; `'order'`: the first to the first, and so on. */
  readonly by?: 'name' | 'order' | undefined;
  /** The model's name for a name in the file. */
  readonly rename?: ((name: string) => string) | undefined;
  /** Leaves weights alone whose shape differs, instead of refusing the file. False by default. */
  readonly skipMismatch?: boolean | undefined;
  /** Refuses a file that does not fit as a whole. True by default; else what fits is taken, and the report tells the rest. */
  readonly strict?: boolean | undefined;
  /** For messages: the file and the model. */
  readonly file?: string | undefined;
  readonly model?: string | undefined;
}

/** What became of the tensors of a file and the weights of a model, by the model's names. */
export interface MatchReport {
  /** Weights that get a value. */
  readonly matched: readonly string[];
  /** Weights that the file has nothing for. */
  readonly missing: readonly string[];
  /** Tensors in the file that the model has no weight for, by the names in the file. */
  readonly unexpected: readonly string[];
  /** Weights whose shape in the file is another. */
  readonly mismatched: readonly { readonly name: string; readonly expected: Shape; readonly received: Shape }[];
}

/** A weight and the name of its tensor in the file. */
export interface Match<T, F> {
  readonly name: string;
  readonly target: T;
  readonly source: string;
  readonly found: F;
}

/** The most lines a message lists. */
const MAX_LINES = 20;

/**
 * Finds the tensor in a file for each weight of a model. Nothing is read or changed here.
 *
 * @param targets - the weights by name, in the model's order
 * @param found - the tensors by name, in the file's order
 * @throws FoveaError ERR_SHAPE that lists every tensor and weight without a partner, when `strict`; ERR_DATA when
 *   `rename` gives two tensors one name
 */
export function matchWeights<T extends Shaped, F extends FoundTensor>(
  targets: ReadonlyMap<string, T>,
  found: ReadonlyMap<string, F>,
  options: MatchOptions = {},
): { pairs: Match<T, F>[]; report: MatchReport } {
  const { by = 'name', skipMismatch = false, strict = true } = options;
  const sources = by === 'order' ? byOrder([...targets.keys()], [...found.keys()]) : byName(found, options);
  const pairs: Match<T, F>[] = [];
  const missing: string[] = [];
  const mismatched: { name: string; expected: Shape; received: Shape }[] = [];
  const used = new Set<string>();
  for (const [name, target] of targets) {
    const source = sources.get(name);
    const tensor = source === undefined ? undefined : found.get(source);
    if (source === undefined || !tensor) {
      missing.push(name);
      continue;
    }
    used.add(source);
    if (sameShape(target.shape, tensor.shape)) pairs.push({ name, target, source, found: tensor });
    else mismatched.push({ name, expected: target.shape, received: tensor.shape });
  }
  const unexpected = [...found.keys()].filter((name) => !used.has(name));
  const report: MatchReport = { matched: pairs.map(({ name }) => name), missing, unexpected, mismatched };
  if (strict) {
    const wrong = [
      ...missing.map((name) => `${name} ${formatShape(targets.get(name)!.shape)}: not in the file`),
      ...(skipMismatch ? [] : mismatched.map(tellMismatch)),
      ...unexpected.map((name) => `${name} ${formatShape(found.get(name)!.shape)}: not in the model`),
    ];
    if (wrong.length > 0) throw refuse(targets.size, found.size, wrong, options);
  }
  return { pairs, report };
}

function byOrder(targets: readonly string[], found: readonly string[]): Map<string, string> {
  return new Map(targets.slice(0, found.length).map((name, i) => [name, found[i]!]));
}

function byName(found: ReadonlyMap<string, unknown>, options: MatchOptions): Map<string, string> {
  const { rename } = options;
  const sources = new Map<string, string>();
  for (const source of found.keys()) {
    const name = rename ? rename(source) : source;
    const other = sources.get(name);
    if (other !== undefined) {
      throw new FoveaError(
        `${options.file ?? 'loadWeights'}: expected different names after renaming, received "${name}" for "${other}" and "${source}"`,
        { code: 'ERR_DATA', op: 'loadWeights', received: name },
      );
    }
    sources.set(name, source);
  }
  return sources;
}

function tellMismatch({ name, expected, received }: MatchReport['mismatched'][number]): string {
  return `${name}: expected ${formatShape(expected)}, received ${formatShape(received)}`;
}

function refuse(weights: number, tensors: number, wrong: readonly string[], options: MatchOptions): FoveaError {
  const { file = 'the file', model } = options;
  const more = wrong.length > MAX_LINES ? [`and ${wrong.length - MAX_LINES} more`] : [];
  const hint = weights === 0 ? ' (the model has no weights before it is built)' : '';
  const counts = weights === tensors ? '' : `, ${weights} weights in the model, ${tensors} tensors in the file`;
  const whose = model === undefined ? 'the model' : `model "${model}"`;
  return new FoveaError(
    `${file} does not fit ${whose}${hint}${counts}:\n  ${[...wrong.slice(0, MAX_LINES), ...more].join('\n  ')}`,
    { code: 'ERR_SHAPE', op: 'loadWeights', received: wrong },
  );
}
