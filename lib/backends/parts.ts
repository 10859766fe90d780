import type { StorageDescription } from './backend.js';

export type ExternalStorage = Extract<StorageDescription, { kind: 'external' }>;

/** Which elements of an external of `size` elements a storage stands for: all of them unless it names a part. */
export function partOf(storage: ExternalStorage, size: number): { first: number; count: number } {
  return { first: storage.first ?? 0, count: storage.size ?? size };
}
