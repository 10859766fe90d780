import type { ProgressStream } from '../../training/progress-line.js';

/** What a download has come to. */
export interface PullProgress {
  readonly model: string;
  /** The file's name. */
  readonly file: string;
  readonly bytes: number;
  /** In all, when the server says so. */
  readonly total: number | undefined;
}

const WIDTH = 30;
const CLEAR_TO_END = '\x1b[K';

const megabytes = (bytes: number): string => (bytes / 2 ** 20).toFixed(1);

/** `resnet50-11ad3fa6.pth [=====>    ] 48.2/97.8 MB 12.3 MB/s` */
export function formatPull({ file, bytes, total }: PullProgress, bytesPerSecond: number): string {
  const speed = bytesPerSecond > 0 ? ` ${megabytes(bytesPerSecond)} MB/s` : '';
  if (total === undefined || total <= 0) return `${file} ${megabytes(bytes)} MB${speed}`;
  const done = Math.min(WIDTH, Math.floor((WIDTH * bytes) / total));
  const bar = '='.repeat(done) + (done < WIDTH ? '>' : '') + ' '.repeat(Math.max(0, WIDTH - done - 1));
  return `${file} [${bar}] ${megabytes(bytes)}/${megabytes(total)} MB${speed}`;
}

/** A line that is redrawn on a terminal; elsewhere a line at the beginning and one at the end. */
export class PullBar {
  readonly #start: number;
  #first: number | undefined;
  #told = false;

  /**
   * @param stream - standard error unless told, which leaves standard output to results
   * @param now - seconds on any clock
   */
  constructor(
    private readonly stream: ProgressStream = process.stderr,
    private readonly now: () => number = () => performance.now() / 1000,
  ) {
    this.#start = now();
  }

  update(progress: PullProgress): void {
    this.#first ??= progress.bytes;
    if (this.stream.isTTY) {
      const seconds = this.now() - this.#start;
      const line = formatPull(progress, seconds > 0.2 ? (progress.bytes - this.#first) / seconds : 0);
      this.stream.write(`\r${line.slice(0, (this.stream.columns ?? 80) - 1)}${CLEAR_TO_END}`);
    } else if (!this.#told) {
      const size = progress.total === undefined ? '' : ` (${megabytes(progress.total)} MB)`;
      this.stream.write(`downloading ${progress.file}${size}\n`);
    }
    this.#told = true;
  }

  /** Leaves the terminal on a fresh line. */
  end(): void {
    if (this.#told && this.stream.isTTY) this.stream.write('\n');
  }
}
