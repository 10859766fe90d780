import type { z } from 'zod';
import { suggestion } from '../layers/suggest.js';

/** How a value looks in a message. */
export function shown(value: unknown): string {
  if (value === undefined) return 'nothing';
  const text = JSON.stringify(value) ?? typeof value;
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

/** `data.imageSize[0]`; empty for the whole file. */
export function pathOf(parts: readonly PropertyKey[]): string {
  return parts
    .map((part, i) => (typeof part === 'number' ? `[${part}]` : `${i > 0 ? '.' : ''}${String(part)}`))
    .join('');
}

function valueAt(value: unknown, parts: readonly PropertyKey[]): unknown {
  return parts.reduce<unknown>((at, part) => (at as Record<PropertyKey, unknown> | null | undefined)?.[part], value);
}

const TYPES: Readonly<Record<string, string>> = {
  string: 'text',
  int: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  object: 'an object',
  array: 'a list',
  tuple: 'a list',
};

type Issue = z.core.$ZodIssue;

/** How messages of schemas of whole numbers begin; zod itself only says that they are numbers. */
export const WHOLE = 'a whole number';

function expected(issue: Issue): string {
  if (issue.message.startsWith(WHOLE)) return issue.message;
  switch (issue.code) {
    case 'invalid_type':
      return TYPES[issue.expected] ?? issue.expected;
    case 'invalid_value':
      return `one of ${issue.values.map((value) => shown(value)).join(', ')}`;
    case 'too_small': {
      if (issue.origin === 'string') return 'text that is not empty';
      const least = `${issue.inclusive === false ? 'above' : 'of at least'} ${issue.minimum}`;
      return issue.origin === 'array' ? `a list of ${issue.minimum}` : `a number ${least}`;
    }
    case 'too_big': {
      if (issue.origin === 'array') return `a list of ${issue.maximum}`;
      return `a number ${issue.inclusive === false ? 'below' : 'of at most'} ${issue.maximum}`;
    }
    default:
      return issue.message;
  }
}

/**
 * What is wrong with a configuration, a line each: where, what was expected, what was received.
 *
 * @param raw - the configuration as it was read
 * @param keysAt - the keys that are known at a path, for suggestions
 */
export function explain(
  issues: readonly Issue[],
  raw: unknown,
  keysAt: (path: readonly PropertyKey[]) => readonly string[],
): string[] {
  return issues.flatMap((issue): string[] => {
    const where = pathOf(issue.path);
    if (issue.code === 'unrecognized_keys') {
      const known = keysAt(issue.path);
      return issue.keys.map((key) => {
        const hint = suggestion(key, known) || `; known here: ${known.join(', ')}`;
        return `${pathOf([...issue.path, key])}: unknown key${hint}`;
      });
    }
    if (issue.code === 'invalid_union') {
      const first = issue.errors.map((branch) => branch[0]).filter((e) => e !== undefined);
      const options = first.map(expected).join(', or ');
      return [`${where}: expected ${options}, received ${shown(valueAt(raw, issue.path))}`];
    }
    const received = valueAt(raw, issue.path);
    const hint =
      issue.code === 'invalid_value' && typeof received === 'string'
        ? suggestion(received, issue.values.map(String))
        : '';
    return [`${where || 'the file'}: expected ${expected(issue)}, received ${shown(received)}${hint}`];
  });
}
