/**
 * The rules of the house (docs/architecture.md) as functions from text to complaints, so that each can be shown to fail
 * on a bad example as well as to pass on the tree.
 */

// ---- native/: core <- cpu, cuda <- plan <- addon --------------------------------------------------------------------

/** From which folders of native/ the files of each folder may include. */
export const MAY_INCLUDE: Readonly<Record<string, readonly string[]>> = {
  core: ['core'],
  cpu: ['core', 'cpu'],
  cuda: ['core', 'cuda'],
  plan: ['core', 'cpu', 'cuda', 'plan'],
  addon: ['core', 'cpu', 'cuda', 'plan', 'addon'],
  // The test double of the CUDA libraries: part of no shipped binary.
  emulator: ['core', 'cuda', 'emulator'],
};

/** Headers of others, and the folders of native/ that may see them. */
const FOREIGN_HEADERS: readonly { what: string; pattern: RegExp; folders: readonly string[] }[] = [
  { what: 'oneDNN', pattern: /^(oneapi\/dnnl\/|dnnl)/, folders: ['cpu'] },
  {
    what: 'CUDA',
    pattern: /^(cuda|cudnn|cublas|curand|nvrtc|nvtx|thrust\/|cub\/|cooperative_groups)/,
    folders: ['cuda', 'emulator'],
  },
  { what: 'Node-API', pattern: /^(napi|node_api|js_native_api|node\.h$|uv\.h$|v8)/, folders: ['addon'] },
];

/** Complaints about the includes of one native file; `file` is relative to the root (`native/cpu/conv.cc`). */
export function checkIncludes(file: string, text: string): string[] {
  const [, folder, ...rest] = file.split('/');
  const allowed = folder === undefined ? undefined : MAY_INCLUDE[folder];
  if (folder === undefined || rest.length === 0 || allowed === undefined) {
    return [`${file}: not in one of native/'s folders (${Object.keys(MAY_INCLUDE).join(', ')})`];
  }
  const complaints: string[] = [];
  for (const [index, line] of stripComments(text).split('\n').entries()) {
    // What each_simd.h includes is what its users define: it counts where it is defined.
    const match = /^\s*#\s*(?:include|define\s+FOVEA_BODY)\s*(?:"([^"]*)"|<([^>]*)>|(\S+))/.exec(line);
    if (!match || match[3] === 'FOVEA_BODY') continue;
    const complain = (why: string) => complaints.push(`${file}:${index + 1}: ${line.trim()}: ${why}`);
    const [, quoted, angled, computed] = match;
    const header = quoted ?? angled;
    if (header === undefined) {
      complain(`a computed include (${computed ?? ''}) cannot be checked`);
      continue;
    }
    const foreign = FOREIGN_HEADERS.find(({ pattern }) => pattern.test(header));
    if (foreign) {
      if (!foreign.folders.includes(folder)) complain(`${foreign.what} is seen only in ${foreign.folders.join(', ')}`);
      continue;
    }
    const [target = '', ...path] = header.split('/');
    const ours = path.length > 0 && target in MAY_INCLUDE;
    if (quoted !== undefined && (!ours || path.includes('..'))) {
      complain('our own headers are included as "folder/file.h", others in angle brackets');
    } else if (ours && !allowed.includes(target)) {
      complain(`${folder} may include only from ${allowed.join(', ')}`);
    } else if (ours && quoted === undefined) {
      complain('our own headers are included in quotes');
    }
  }
  return complaints;
}

/** Replaces comments by blanks, keeping the lines, so that an include that is commented out does not count. */
function stripComments(text: string): string {
  return text
    .replace(/\/\*[\s\S]*?\*\//g, (comment) => comment.replace(/[^\n]/g, ' '))
    .replace(/^([^"\n]*?)\/\/.*$/gm, '$1');
}

// ---- TypeScript -----------------------------------------------------------------------------------------------------

/** Every module that a TypeScript source imports or re-exports from, statically or not. */
export function importedModules(text: string): string[] {
  const modules: string[] = [];
  const pattern =
    /(?:^|[\s;}])(?:import|export)\b(?:[\w\s{},*$]*?\bfrom)?\s*['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]/g;
  for (const match of stripComments(text).matchAll(pattern)) modules.push(match[1] ?? match[2] ?? '');
  return modules;
}

/** The zoo is written like any user's code: from the public index, and from its own files. */
export function checkZooImports(file: string, text: string): string[] {
  const folder = file.split('/').slice(0, -1);
  return importedModules(text).flatMap((module) => {
    if (module.startsWith('.')) {
      const parts = [...folder];
      for (const part of module.split('/')) {
        if (part === '..') parts.pop();
        else if (part !== '.') parts.push(part);
      }
      const target = parts.join('/');
      if (target === 'lib/index.js' || target.startsWith('models/')) return [];
    }
    return [`${file}: imports from '${module}'; models/ imports only from the public lib/index.js`];
  });
}

export const MOST_LINES = 400;

export function checkLength(file: string, text: string): string[] {
  const lines = text.trimEnd().split('\n').length;
  return lines > MOST_LINES ? [`${file}: ${lines} lines, more than ${MOST_LINES}`] : [];
}

// ---- All text -------------------------------------------------------------------------------------------------------

// Built from parts, so that this file does not complain about itself.
const MACHINE_FOLDERS = ['work', 'root', 'home', 'tmp', 'Users'];
const MACHINE_PATH = new RegExp(`(?<![\\w.~$@%:*})\\]/-])/(?:${MACHINE_FOLDERS.join('|')})(?:/[\\w.-]|(?=["'\`]))`);
const REGISTRY = new RegExp(
  [
    'registry\\.[\\w-]+\\.\\w+',
    'npm\\.pkg\\.github',
    'pkg\\.dev\\b',
    'artifact' + 'registry',
    '"resolved"\\s*:\\s*"http',
  ].join('|'),
  'i',
);

/** A path of somebody's machine, or the address of a package registry, works for nobody else. */
export function checkPortable(file: string, text: string): string[] {
  const complaints: string[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    const found = MACHINE_PATH.exec(line)?.[0] ?? REGISTRY.exec(line)?.[0];
    if (found !== undefined)
      complaints.push(`${file}:${index + 1}: ${found}: a path of one machine, or a registry's address`);
  }
  return complaints;
}
