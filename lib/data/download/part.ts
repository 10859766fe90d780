import { readFile, rm, stat, writeFile } from 'node:fs/promises';

/** What is known of a file that is half there. */
export interface PartState {
  readonly url: string;
  /** A strong ETag or a date, to ask the server for the rest of this very version. */
  readonly validator: string | undefined;
  /** Bytes there. */
  readonly bytes: number;
}

const notes = (part: string): string => `${part}.json`;

/** The state of a `.part` file, or undefined when there is none. */
export async function readPart(part: string): Promise<PartState | undefined> {
  try {
    const { size } = await stat(part);
    const { url, validator } = JSON.parse(await readFile(notes(part), 'utf8')) as Partial<PartState>;
    if (typeof url !== 'string' || size === 0) return undefined;
    return { url, validator: typeof validator === 'string' ? validator : undefined, bytes: size };
  } catch {
    return undefined;
  }
}

/** Remembers where a part comes from. */
export async function notePart(part: string, url: string, validator: string | undefined): Promise<void> {
  await writeFile(notes(part), JSON.stringify({ url, validator }));
}

/** Forgets a part. */
export async function dropPart(part: string): Promise<void> {
  await rm(part, { force: true });
  await dropNotes(part);
}

/** Forgets where a part came from: it has become the file. */
export async function dropNotes(part: string): Promise<void> {
  await rm(notes(part), { force: true });
}

/** What `If-Range` may carry: a strong ETag, else the date of the last change. */
export function validatorOf(headers: Headers): string | undefined {
  const tag = headers.get('etag');
  if (tag && !tag.startsWith('W/')) return tag;
  return headers.get('last-modified') ?? undefined;
}
