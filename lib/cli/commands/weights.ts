import { listWeights, onInterrupt, pullWeights, verifyWeights, type PulledWeights } from '../../index.js';
import { isPublishedName } from '../../weights/hub/index.js';
import { EXIT, UsageError } from '../errors.js';
import { isZooModel, unknownModel } from '../model-source.js';
import { bytes, table, type Output } from '../output.js';

export interface PullCommandOptions {
  readonly name?: string;
  readonly top: boolean;
}

function checkModel(model: string | undefined): void {
  if (model !== undefined && !isZooModel(model)) throw unknownModel(model);
}

/** `fovea weights list` */
export async function list(model: string | undefined, options: { here?: boolean }, out: Output): Promise<void> {
  checkModel(model);
  const all = await listWeights(model);
  const rows = options.here ? all.filter(({ state }) => state !== 'absent') : all;
  out.result(rows, () => {
    if (rows.length === 0) return options.here ? 'none is here' : `no weights are published for ${model}`;
    const cells = rows.map((row) => [
      row.model,
      row.preferred && row.name !== 'imagenet' ? `${row.name} (imagenet)` : row.name,
      ...[row.source, row.includeTop ? 'yes' : 'no', row.state, row.bytes === 0 ? '' : bytes(row.bytes)],
    ]);
    return table(['model', 'name', 'source', 'top', 'here', 'size'], cells);
  });
}

/** `fovea weights pull` */
export async function pull(models: readonly string[], options: PullCommandOptions, out: Output): Promise<void> {
  const { name, top } = options;
  for (const model of models) {
    checkModel(model);
    if (name !== undefined && !isPublishedName(model, name)) {
      const known = (await listWeights(model)).map((row) => row.name);
      throw new UsageError(
        `weights of ${model}: expected --name to be one of ${[...new Set(['imagenet', ...known])].join(', ')}, received ${name}`,
      );
    }
  }
  using interrupt = onInterrupt({
    notify: () => out.log('\nending; what has come so far is kept, and gone on with next time'),
  });
  const pulled: PulledWeights[] = [];
  for (const model of models) {
    const more = name === undefined ? {} : { name };
    pulled.push(await pullWeights(model, { ...more, includeTop: top, signal: interrupt.signal }));
  }
  out.result(pulled, () =>
    pulled
      .map(({ model, name: weights, path, bytes: size, cached }) => {
        return `${model} ${weights}: ${path} (${bytes(size)}${cached ? ', was here' : ''})`;
      })
      .join('\n'),
  );
}

/** `fovea weights verify` */
export async function verify(model: string | undefined, out: Output): Promise<void> {
  checkModel(model);
  const verdicts = await verifyWeights(model);
  out.result(verdicts, () => {
    if (verdicts.length === 0) return 'no weights are here; `fovea weights pull MODEL` brings them';
    const cells = verdicts.map(({ model: of, name, verdict, reason, path }) => [of, name, verdict, reason ?? '', path]);
    return table(['model', 'name', 'verdict', 'reason', 'file'], cells);
  });
  if (verdicts.some(({ verdict }) => verdict === 'damaged')) process.exitCode = EXIT.failure;
}
