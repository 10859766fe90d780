import { readdir, realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { FoveaError, mismatch } from '../../errors.js';

/** What is taken for an image by its name; whether it is one shows when it is decoded. */
const EXTENSIONS = new Set(['.jpg', '.jpeg', '.png', '.gif', '.webp', '.bmp', '.tif', '.tiff', '.avif']);

/** Class names and files of a folder of images. */
export interface FolderContents {
  readonly classNames: readonly string[];
  /** Paths, by class, then by name. */
  readonly files: readonly string[];
  /** The class of each file. */
  readonly labels: readonly number[];
  /** Symbolic links that were left out. */
  readonly links: number;
}

interface Walk {
  readonly op: string;
  readonly followLinks: boolean;
  /** Real paths of the folders above, so that a link to one of them ends there. */
  readonly above: readonly string[];
  links: { count: number };
}

/** Names compare by their code units: the same order on every machine, whatever its language. */
function byName(a: { name: string }, b: { name: string }): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}

function cannotRead(op: string, what: string, cause: unknown): FoveaError {
  const code = (cause as NodeJS.ErrnoException).code === 'ENOENT' ? 'ERR_NOT_FOUND' : 'ERR_FILE';
  return new FoveaError(`${op}: cannot read ${what}: ${(cause as Error).message}`, { code, op, cause });
}

interface Entry {
  readonly name: string;
  readonly path: string;
  readonly kind: 'file' | 'folder';
}

/** Files and folders of a folder, sorted; hidden ones, special files and, unless they are followed, links left out. */
async function entriesOf(folder: string, walk: Walk): Promise<Entry[]> {
  const { op, followLinks, links } = walk;
  const entries: Entry[] = [];
  const listed = await readdir(folder, { withFileTypes: true }).catch((cause: unknown) => {
    throw cannotRead(op, `folder ${folder}`, cause);
  });
  for (const entry of listed.sort(byName)) {
    if (entry.name.startsWith('.')) continue;
    const full = path.join(folder, entry.name);
    let [isFile, isFolder] = [entry.isFile(), entry.isDirectory()];
    if (entry.isSymbolicLink()) {
      const target = followLinks ? await stat(full).catch(() => undefined) : undefined;
      [isFile, isFolder] = [target?.isFile() ?? false, target?.isDirectory() ?? false];
      if (!target) links.count++;
    }
    if (isFile || isFolder) entries.push({ name: entry.name, path: full, kind: isFolder ? 'folder' : 'file' });
  }
  return entries;
}

function isImage(name: string): boolean {
  return EXTENSIONS.has(path.extname(name).toLowerCase());
}

/** The images of a folder and the folders in it. */
async function imagesIn(folder: string, walk: Walk): Promise<string[]> {
  const real = await realpath(folder);
  if (walk.above.includes(real)) return [];
  const inside = { ...walk, above: [...walk.above, real] };
  const files: string[] = [];
  for (const entry of await entriesOf(folder, walk)) {
    if (entry.kind === 'folder') files.push(...(await imagesIn(entry.path, inside)));
    else if (isImage(entry.name)) files.push(entry.path);
  }
  return files;
}

function checkNames(op: string, root: string, found: readonly string[], wanted: readonly string[]): void {
  const missing = wanted.filter((name) => !found.includes(name));
  const extra = found.filter((name) => !wanted.includes(name));
  const twice = wanted.filter((name, i) => wanted.indexOf(name) !== i);
  if (missing.length + extra.length + twice.length === 0) return;
  const notes = [
    missing.length > 0 && `no folder ${missing.join(', ')}`,
    extra.length > 0 && `unlisted folders ${extra.join(', ')}`,
    twice.length > 0 && `${twice.join(', ')} twice`,
  ];
  const expected = `classNames to be the folders of ${root}, each once`;
  throw mismatch('ERR_ARGUMENT', { op }, expected, notes.filter(Boolean).join('; '));
}

/**
 * Looks through a folder that has a folder for each class, with images in it at any depth.
 *
 * @param op - who asks, for messages
 * @param root - the folder
 * @param options - `classNames` in the order of their labels (that of the names unless told); `classes: false` takes
 *   every image below `root`, all with label 0; `followLinks`: symbolic links are left out unless told
 * @throws FoveaError ERR_NOT_FOUND or ERR_FILE when a folder cannot be read, ERR_DATA when there are no images,
 *   ERR_ARGUMENT when `classNames` are not the folders
 */
export async function scanFolder(
  op: string,
  root: string,
  options: {
    readonly classes: boolean;
    readonly classNames?: readonly string[] | undefined;
    readonly followLinks: boolean;
  },
): Promise<FolderContents> {
  const walk: Walk = { op, followLinks: options.followLinks, above: [], links: { count: 0 } };
  const [classNames, files, labels]: [string[], string[], number[]] = [[], [], []];
  const real = await realpath(root).catch((cause: unknown) => {
    throw cannotRead(op, `folder ${root}`, cause);
  });
  if (options.classes) {
    const folders = (await entriesOf(root, walk)).filter(({ kind }) => kind === 'folder').map(({ name }) => name);
    if (options.classNames) checkNames(op, root, folders, options.classNames);
    classNames.push(...(options.classNames ?? folders));
    for (const [label, name] of classNames.entries()) {
      const images = await imagesIn(path.join(root, name), { ...walk, above: [real] });
      files.push(...images);
      labels.push(...images.map(() => label));
    }
  } else {
    files.push(...(await imagesIn(root, walk)));
    labels.push(...files.map(() => 0));
  }
  if (files.length === 0) {
    const layout = options.classes ? 'images in one folder per class' : 'images';
    const links = walk.links.count > 0 ? ` (${walk.links.count} symbolic links were left out: see followLinks)` : '';
    const received = classNames.length > 0 ? `folders ${classNames.join(', ')} without images` : 'none';
    throw mismatch('ERR_DATA', { op }, `${layout} in ${root}`, `${received}${links}`);
  }
  return { classNames, files, labels, links: walk.links.count };
}
