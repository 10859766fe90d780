/**
 * @file
 * Loads the published library, bundle.cjs beside this file, and keeps what V8 made of it beside it too, as Python does
 * in `__pycache__`: compiling a megabyte of source is half the time of `import 'fovea'`. The first few programs add the
 * functions that they were the first to call; then the file stays as it is. Where it cannot be written, every process
 * compiles what it needs, as with FOVEA_CODE_CACHE=0.
 */
const builtin = (name) => process.getBuiltinModule(`node:${name}`);
const [fs, path, vm] = [builtin('fs'), builtin('path'), builtin('vm')];

const file = path.join(import.meta.dirname, 'bundle.cjs');
const require = builtin('module').createRequire(file);

/** How many programs may add to the cache. */
const GENERATIONS = 4;

/** A file of code that V8 compiled. V8 runs whatever it is given, so that a trailer tells whether it is whole and whose. */
class CodeCache {
  #file;
  #source;

  /** @param source - the file that was compiled, by its size and time */
  constructor(file, source) {
    this.#file = file;
    this.#source = source;
  }

  read() {
    let bytes;
    try {
      bytes = fs.readFileSync(this.#file);
    } catch {
      return undefined;
    }
    const at = bytes.length - TRAILER_BYTES;
    if (at <= 0) return undefined;
    const [code, generation] = [bytes.subarray(0, at), bytes.readDoubleLE(at)];
    return bytes.subarray(at).equals(this.#trailer(code, generation)) ? { code, generation } : undefined;
  }

  /** @param make - gives the code: not called where there is no place for it */
  write(make, generation) {
    const temporary = `${this.#file}.${process.pid}`;
    try {
      fs.accessSync(path.dirname(this.#file), fs.constants.W_OK);
      const code = make();
      fs.writeFileSync(temporary, Buffer.concat([code, this.#trailer(code, generation)]));
      fs.renameSync(temporary, this.#file);
    } catch {
      // There is no place for it. At the end of a program that is nobody's trouble.
      remove(temporary);
    }
  }

  #trailer(code, generation) {
    const numbers = [generation, this.#source.size, this.#source.mtimeMs, builtin('zlib').crc32(code)];
    return Buffer.from(Float64Array.from(numbers).buffer);
  }
}

function remove(file) {
  try {
    fs.unlinkSync(file);
  } catch {
    // It was not begun.
  }
}

/** Whose code it is: that of another version, or with other flags, V8 refuses. Without flags that takes no module to tell. */
function versionOfV8() {
  const { arch, env, execArgv, versions } = process;
  const plain = execArgv.length === 0 && !env.NODE_OPTIONS;
  return plain ? `${versions.v8}-${arch}` : builtin('v8').cachedDataVersionTag();
}

const TRAILER_BYTES = 4 * Float64Array.BYTES_PER_ELEMENT;

function load() {
  const library = {};
  // Source maps and coverage are for Node's own loader.
  const { FOVEA_CODE_CACHE, NODE_V8_COVERAGE } = process.env;
  if (FOVEA_CODE_CACHE === '0' || NODE_V8_COVERAGE || process.sourceMapsEnabled) {
    require(file)(library, require, file);
    return { library };
  }

  const cache = new CodeCache(path.join(import.meta.dirname, `bundle-${versionOfV8()}.cache`), fs.statSync(file));
  const kept = cache.read();
  const script = new vm.Script(fs.readFileSync(file, 'latin1'), {
    filename: file,
    cachedData: kept?.code,
    importModuleDynamically: vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
  });
  const cached = kept !== undefined && !script.cachedDataRejected;
  const { code: before, generation } = cached ? kept : { code: [], generation: 0 };
  if (generation < GENERATIONS) {
    const more = () => {
      const code = script.createCachedData();
      return code.length > before.length ? code : before;
    };
    process.once('exit', () => cache.write(more, generation + 1));
  }
  script.runInThisContext()(library, require, file);
  return { library, cached };
}

/** The library's entries, as functions that evaluate them; whether V8 took its code from the cache. */
export const { library, cached = false } = load();
