import type { Opener } from '../pull.js';
import type { Source } from '../source.js';
import { skipOpener } from './take-skip.js';

/** Opens a source behind its first `count` elements: without making them where it can, else by dropping them. */
export function openFrom<T>(source: Source<T>, count: number): Opener<T> {
  if (count === 0) return source.open;
  const { indexed } = source;
  if (indexed && !indexed.drops) return indexed.elements(skipOpener(indexed.order, count));
  return source.from?.(count) ?? skipOpener(source.open, count);
}
