/**
 * Makes one CommonJS text of several entries and all that they import, to be compiled by V8 as one script.
 *
 * esbuild bundles twice. First it splits: modules that are always loaded together become one scope, a chunk, without a
 * function around each. Then it puts the chunks into one file, each behind a function that evaluates it when it is first
 * needed. What its helpers cost at every start is taken out of the text.
 */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { build } from 'esbuild';
import ts from 'typescript';

/** The whole text is one function: the value of a script, and what a module of CommonJS exports. */
const HEAD =
  '((bundle) => (typeof module === "object" && (module.exports = bundle), bundle))' +
  '(function (exports, require, __filename) {"use strict";' +
  "const moduleUrl = require('node:url').pathToFileURL(__filename).href;";
const FOOT = '})';

/**
 * @param root - the package, which has the dependencies
 * @param entries - path of each entry's source, by the name of the function that evaluates it and gives its exports
 * @param outfile - written, with a source map beside it
 * @returns the paths of all sources, from `root`
 */
export async function bundle(root, entries, outfile) {
  const { dependencies, optionalDependencies } = JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8'));
  const common = {
    platform: 'node',
    target: 'node20',
    logLevel: 'warning',
    bundle: true,
    external: Object.keys({ ...dependencies, ...optionalDependencies }),
    sourcemap: true,
  };
  // Always the same folder: it is named in the source map.
  const chunks = `${outfile}.chunks`;
  try {
    // Names of classes and functions stay what they are.
    const { metafile } = await build({
      ...common,
      absWorkingDir: root,
      entryPoints: entries,
      outdir: chunks,
      format: 'esm',
      splitting: true,
      keepNames: true,
      metafile: true,
    });
    for (const name of fs.readdirSync(chunks).filter((file) => file.endsWith('.js')))
      rewrite(path.join(chunks, name), literalNamespaces);
    const contents = Object.keys(entries).map((name) => `exports.${name} = () => require('./${name}.js');`);
    await build({
      ...common,
      absWorkingDir: chunks,
      stdin: { contents: contents.join('\n'), resolveDir: chunks },
      outfile,
      format: 'cjs',
      define: { 'import.meta.url': 'moduleUrl' },
      banner: { js: HEAD },
      footer: { js: FOOT },
    });
    rewrite(outfile, literalNamespaces, namesOnce, lighterHelpers);
    return Object.keys(metafile.inputs);
  } finally {
    fs.rmSync(chunks, { recursive: true, force: true });
  }
}

function rewrite(file, ...steps) {
  fs.writeFileSync(
    file,
    steps.reduce((code, step) => step(code), fs.readFileSync(file, 'utf8')),
  );
}

// What follows takes out of the text what does at run time what the text says already, or dearly what can be had for
// less. Lines stay where they are, for source maps.

/**
 * Modules as objects: getters in a literal, not one call of `Object.defineProperty` each; without a prototype, as the
 * namespaces of ES modules, which lets V8 make a table of them and not a hidden class for every name.
 */
function literalNamespaces(code) {
  const getters = (exported) =>
    exported.split('\n').map((line) => {
      const [, name, value, comma] = /^\s*(\w+): \(\) => (\w+)(,?)$/.exec(line) ?? [];
      if (name === undefined) throw new Error(`bundle: expected the name of an export, received '${line}'`);
      return `get ${name}() { return ${value}; }${comma}`;
    });
  return code.replace(
    /^(\s*(?:var )?)(\w+) = \{\};\n\s*__export\d*\(\2, \{\n([^}]*)\n\s*\}\);$/gm,
    (_, before, name, exported) => [`${before}${name} = {`, '__proto__: null,', ...getters(exported), '};'].join('\n'),
  );
}

/** Functions and classes that have their name without being given it, as what a variable holds: esbuild names all. */
function namesOnce(code) {
  return inferredNames(code)
    .replace(/^ *__name\d*\((\w+), "\1"\);$/gm, '')
    .replace(
      /(?<![.\w])(\w+)( = class(?: extends [\w.]+)? \{)\n\s*static \{\n\s*__name\d*\(this, "\1"\);\n\s*\}$/gm,
      '$1$2\n\n\n',
    );
}

/** Takes `x = __name(() => 1, "x")` apart: a function without a name gets that of the variable or property it begins. */
function inferredNames(code) {
  const targetOf = (node) => {
    const { parent } = node;
    if (parent.initializer === node) return parent.name;
    return parent.operatorToken?.kind === ts.SyntaxKind.EqualsToken && parent.right === node ? parent.left : undefined;
  };
  const named = [];
  const visit = (node) => {
    if (ts.isCallExpression(node) && ts.isIdentifier(node.expression) && /^__name\d*$/.test(node.expression.text)) {
      const [made, name] = node.arguments;
      if (ts.isArrowFunction(made) && targetOf(node)?.text === name.text) named.push([node, made]);
    }
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile('bundle.cjs', code, ts.ScriptTarget.ES2022, true, ts.ScriptKind.JS));
  const pieces = [];
  let at = 0;
  // An outer function begins before an inner one and ends after it.
  const cuts = named.flatMap(([call, made]) => [
    [call.pos + 1, made.pos],
    [made.end, call.end],
  ]);
  for (const [from, to] of cuts.sort(([a], [b]) => a - b)) {
    pieces.push(code.slice(at, from));
    at = to;
  }
  return pieces.join('') + code.slice(at);
}

/**
 * - A name is defined where it is not what it should be: for V8 such a function is an object of its own shape, and an
 *   arrow function pays at every call of the function that makes it.
 * - Modules of CommonJS, Node's own among them, are the prototype of what importers see, not copied name by name.
 * - What the entries export is given as it is: nobody but index.js sees it.
 */
function lighterHelpers(code) {
  const helpers = [
    [/(__name\d* = \(target, value\) => )(?=__defProp)/g, '$1target.name === value ? target : '],
    [
      /(__toESM\d* = )\(mod\d*, isNodeMode, target\) => \([\s\S]*?\n *\)\);/g,
      '$1(mod, isNodeMode) => (!isNodeMode && mod.__esModule ? mod : { __proto__: mod, default: mod });\n\n\n\n\n\n\n',
    ],
    [/(__toCommonJS\d* = ).*/g, '$1(mod) => mod;'],
  ];
  for (const [helper, light] of helpers) {
    const replaced = code.replaceAll(helper, light);
    if (replaced === code) throw new Error(`bundle: expected esbuild's helper ${helper}, found none`);
    code = replaced;
  }
  return code;
}
