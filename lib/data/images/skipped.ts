/** An image that was left out, and why. */
export interface SkippedImage {
  readonly file: string;
  readonly reason: string;
}

/** The images that were left out so far: each once, however often it was met. */
export class SkippedImages implements Iterable<SkippedImage> {
  readonly #reasons = new Map<string, string>();

  /** @param onSkip - told when an image is left out for the first time */
  constructor(private readonly onSkip?: (skipped: SkippedImage) => void) {}

  get count(): number {
    return this.#reasons.size;
  }

  /** @internal */
  add(file: string, reason: string): void {
    if (this.#reasons.has(file)) return;
    this.#reasons.set(file, reason);
    this.onSkip?.({ file, reason });
  }

  *[Symbol.iterator](): Generator<SkippedImage, undefined> {
    for (const [file, reason] of this.#reasons) yield { file, reason };
  }
}
