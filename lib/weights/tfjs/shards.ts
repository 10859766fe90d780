import { open, stat } from 'node:fs/promises';
import type { TypedArray } from '../../tensor/dtype.js';
import { FoveaError } from '../../errors.js';
import { fromPatterns } from '../../tensor/narrow.js';
import type { NamedArray } from '../safetensors.js';
import { refuse, type TfjsEntry, type TfjsGroup } from './manifest.js';

/** A file of weights and where its bytes are among those of its group. */
interface Shard {
  readonly path: string;
  readonly begin: number;
  readonly end: number;
}

/** The weights of a group: in files, read when asked for. */
export class TfjsShards {
  private constructor(
    private readonly file: string,
    private readonly shards: readonly Shard[],
  ) {}

  /**
   * Checks that the files hold exactly what the manifest says.
   *
   * @param file - the `model.json`, for messages
   */
  static async open(file: string, group: TfjsGroup): Promise<TfjsShards> {
    const shards: Shard[] = [];
    let begin = 0;
    for (const path of group.shards) {
      const stats = await stat(path).catch((cause: Error) => {
        throw new FoveaError(`${file}: cannot read its weights: ${cause.message}`, {
          code: 'ERR_NOT_FOUND',
          op: 'tfjs',
          cause,
        });
      });
      if (!stats.isFile()) throw refuse(file, `expected a file ${path}`);
      shards.push({ path, begin, end: begin + stats.size });
      begin += stats.size;
    }
    if (begin !== group.bytes) {
      throw refuse(file, `expected ${group.bytes} bytes of weights in its files, received ${begin} (truncated?)`);
    }
    return new TfjsShards(file, shards);
  }

  async read(entry: TfjsEntry): Promise<NamedArray> {
    const bytes = await this.#bytes(entry.begin, entry.end);
    const { dtype, shape } = entry;
    return { dtype, shape, data: decode(entry, bytes) };
  }

  async #bytes(begin: number, end: number): Promise<ArrayBuffer> {
    const out = new Uint8Array(end - begin);
    for (const shard of this.shards) {
      const [from, to] = [Math.max(begin, shard.begin), Math.min(end, shard.end)];
      if (from >= to) continue;
      const handle = await open(shard.path, 'r');
      try {
        for (let at = from; at < to;) {
          const { bytesRead } = await handle.read(out, at - begin, to - at, at - shard.begin);
          if (bytesRead === 0) throw refuse(this.file, `${shard.path} has become shorter`);
          at += bytesRead;
        }
      } finally {
        await handle.close();
      }
    }
    return out.buffer;
  }
}

function decode({ dtype, stored, scale, min }: TfjsEntry, buffer: ArrayBuffer): TypedArray {
  switch (stored) {
    case 'float32':
      return new Float32Array(buffer);
    case 'int32':
      return new Int32Array(buffer);
    case 'float16':
      return fromPatterns('float16', new Uint16Array(buffer));
    case 'bool':
      return new Uint8Array(buffer);
    default: {
      const numbers = stored === 'uint16' ? new Uint16Array(buffer) : new Uint8Array(buffer);
      if (dtype === 'float32') return Float32Array.from(numbers, (n) => n * scale + min);
      const whole = (n: number): number => Math.round(n * scale + min);
      return dtype === 'int32' ? Int32Array.from(numbers, whole) : Uint8Array.from(numbers, whole);
    }
  }
}
