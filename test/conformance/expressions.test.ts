import { afterEach, describe, expect, it } from 'vitest';
import { ops, tensor, vjp, withDevice, type DType, type Tensor } from '../../lib/index.js';
import { disablePasses, PASS_NAMES, type PassName } from '../../lib/graph/passes/index.js';
import { largestMagnitude } from '../support/golden.js';
import { placeValue } from '../support/ops-cases.js';
import { forCases, type RandomValues } from '../support/random-values.js';
import { testDevices } from '../support/devices.js';

type Step = { readonly name: string; readonly run: (pick: (i: number) => Tensor) => Tensor };
interface Expression {
  readonly inputs: readonly { shape: number[]; dtype: DType; data: ArrayLike<number> }[];
  readonly steps: readonly Step[];
  /** Which values are returned; the last step always. */
  readonly returned: readonly number[];
  readonly text: string;
}

/** Bounded functions of floats, so that a chain of twenty stays near 1 and errors do not grow. */
const UNARY: Readonly<Record<string, (x: Tensor) => Tensor>> = {
  tanh: ops.tanh,
  sigmoid: ops.sigmoid,
  sin: ops.sin,
  neg: ops.neg,
  abs: ops.abs,
  relu: ops.relu,
  gelu: (x) => ops.gelu(x),
  clip: (x) => ops.clip(x, -1.5, 2.5),
  half: (x) => ops.mul(x, 0.5),
  shifted: (x) => ops.sub(0.25, x),
  softplus: ops.softplus,
  silu: ops.silu,
  'reshaped and back': (x) => ops.tanh(ops.reshape(ops.mul(ops.reshape(x, [x.size]), 0.75), x.shape)),
  mean: (x) => (x.rank === 0 ? x : ops.sub(x, ops.mean(x, { axes: -1, keepDims: true }))),
};
const BINARY: Readonly<Record<string, (a: Tensor, b: Tensor) => Tensor>> = {
  add: (a, b) => ops.mul(ops.add(a, b), 0.5),
  sub: (a, b) => ops.mul(ops.sub(a, b), 0.5),
  mul: (a, b) => ops.tanh(ops.mul(a, b)),
  'select greater': (a, b) => ops.select(ops.greater(a, 0), a, b),
  maximum: ops.maximum,
  minimum: ops.minimum,
  div: (a, b) => ops.tanh(ops.div(a, ops.add(ops.abs(b), 1))),
};

/** 3 to 20 ops over two to four inputs that broadcast; any earlier value may be an operand. */
function drawExpression(r: RandomValues): Expression {
  const whole = r.shape(r.integer(1, 3), 1, 5);
  const inputs = Array.from({ length: r.integer(2, 4) }, (_, i): Expression['inputs'][number] => {
    const shape = i === 0 ? whole : whole.slice(r.chance(0.3) ? 1 : 0).map((d) => (r.chance(0.3) ? 1 : d));
    return { shape, dtype: 'float32', data: r.floats(shape, -2, 2) };
  });
  const steps: Step[] = [];
  const words: string[] = [];
  const count = r.integer(3, 20);
  for (let i = 0; i < count; i++) {
    const known = inputs.length + i;
    // The latest value is an operand most of the time: chains are what passes merge.
    const a = r.chance(0.6) ? known - 1 : r.integer(0, known - 1);
    if (r.chance(0.5)) {
      const name = r.pick(Object.keys(UNARY));
      steps.push({ name, run: (pick) => UNARY[name]!(pick(a)) });
      words.push(`v${known} = ${name}(v${a})`);
    } else {
      const name = r.pick(Object.keys(BINARY));
      const b = r.integer(0, known - 1);
      steps.push({ name, run: (pick) => BINARY[name]!(pick(a), pick(b)) });
      words.push(`v${known} = ${name}(v${a}, v${b})`);
    }
  }
  const last = inputs.length + count - 1;
  const returned = [last, ...Array.from({ length: r.integer(0, 2) }, () => r.integer(inputs.length, last))];
  const shapes = inputs.map((v, i) => `v${i} [${v.shape.join()}]`).join(', ');
  return { inputs, steps, returned, text: `${shapes}; ${words.join('; ')}; returns ${returned.join()}` };
}

interface Read {
  readonly name: string;
  readonly shape: readonly number[];
  readonly data: ArrayLike<number>;
}

function evaluate(e: Expression, device: string, off: readonly PassName[]): Read[] {
  disablePasses(...off);
  return withDevice(device, () => {
    const inputs = e.inputs.map((v) => placeValue(v.shape, v.dtype, v.data, device));
    let all: Tensor[] = [];
    const { value, pullback } = vjp(
      (...args) => {
        all = [...args];
        for (const step of e.steps) all.push(step.run((i) => all[i]!));
        return all.at(-1)!;
      },
      ...inputs,
    );
    const gradients = pullback(ops.onesLike(value));
    const read = [
      ...e.returned.map((i) => ({ name: `v${i}`, t: all[i]! })),
      ...gradients.map((t, i) => ({ name: `gradient of v${i}`, t })),
    ].map(({ name, t }) => ({ name, shape: t.shape, data: t.dataSync() }));
    for (const t of [...inputs, ...gradients]) t.dispose();
    return read;
  });
}

function expectSame(received: readonly Read[], expected: readonly Read[], relative: number, what: string): void {
  received.forEach(({ name, shape, data }, k) => {
    const e = expected[k]!;
    expect(shape, `${what}: ${name}`).toEqual(e.shape);
    const allowed = relative * Math.max(1, largestMagnitude(e.data));
    for (let i = 0; i < e.data.length; i++) {
      const [a, b] = [data[i]!, e.data[i]!];
      if (Object.is(a, b) || Math.abs(a - b) <= allowed) continue;
      expect.fail(`${what}: ${name}[${i}]: expected ${b}, received ${a} (allowed ${allowed})`);
    }
  });
}

const SETTINGS: readonly (readonly PassName[])[] = [PASS_NAMES, ...PASS_NAMES.map((name) => [name])];

afterEach(() => disablePasses());

describe('random expressions', () => {
  const names = testDevices();

  it('give the same with every pass on and off, on every device, and values near the reference', async () => {
    await forCases('expressions', 150, (r) => {
      const e = drawExpression(r);
      const specification = evaluate(e, 'reference', PASS_NAMES);
      for (const device of names) {
        // Within a device a pass changes no operation, only where its result is kept.
        const plain = device === 'reference' ? specification : evaluate(e, device, PASS_NAMES);
        for (const off of [[], r.pick(SETTINGS)]) {
          const what = `${device}, without ${off.join(' and ') || 'nothing'}: ${e.text}`;
          expectSame(evaluate(e, device, off), plain, 2e-6, what);
        }
        // Near a kink (relu, maximum, select) float32 may take the other branch in a gradient: values are compared.
        const values = (all: readonly Read[]): Read[] => all.slice(0, e.returned.length);
        expectSame(values(plain), values(specification), 2e-5, `${device}: ${e.text}`);
      }
    });
  });
});

/** Casts in the middle of a chain: what a narrower type cannot hold must be gone, merged or not. */
describe('casts inside expressions', () => {
  const CASTS: Readonly<Record<string, (x: Tensor) => Tensor>> = {
    'uint8 and back': (x) => ops.cast(ops.cast(ops.mul(x, 300), 'uint8'), 'float32'),
    'int32 and back': (x) => ops.cast(ops.cast(ops.mul(x, 3), 'int32'), 'float32'),
    'int32 to uint8': (x) => ops.cast(ops.cast(ops.cast(ops.mul(x, 400), 'int32'), 'uint8'), 'int32'),
    'bool and back': (x) => ops.mul(ops.cast(ops.cast(x, 'bool'), 'float32'), 3),
    'sum of bools': (x) => ops.cast(ops.add(ops.greater(x, 0), ops.less(x, 1)), 'float32'),
    'sum of uint8': (x) => {
      const u = ops.cast(ops.abs(ops.mul(x, 120)), 'uint8');
      return ops.cast(ops.add(u, u), 'float32');
    },
    'bool arithmetic': (x) => ops.cast(ops.sub(ops.greater(x, 0), ops.greater(x, 1)), 'int32'),
  };

  it.each(Object.entries(CASTS))('%s', async (name, apply) => {
    await forCases(`casts ${name}`, 10, (r) => {
      const data = r.floats([17], -2, 2);
      const results = testDevices().flatMap((device) =>
        [[], PASS_NAMES].map((off) => {
          disablePasses(...off);
          const read = withDevice(device, () =>
            Array.from(apply(placeValue([17], 'float32', data, device)).dataSync(), (v) => v + 0),
          );
          return { on: `${device}, passes ${off.length > 0 ? 'off' : 'on'}`, read };
        }),
      );
      for (const { on, read } of results)
        expect(read, on).toEqual(results.find((x) => x.on === 'reference, passes off')!.read);
    });
  });
});

describe('what passes may not mix up', () => {
  const CASES: Readonly<Record<string, { apply: (x: Tensor) => Tensor; expected: number[] }>> = {
    'scalars that JSON cannot write': {
      apply: (x) => ops.concat([ops.add(x, Infinity), ops.add(x, -Infinity), ops.add(x, Number.NaN)]),
      expected: [Infinity, Infinity, -Infinity, -Infinity, Number.NaN, Number.NaN],
    },
    'attributes that JSON cannot write': {
      apply: (x) => ops.concat([ops.pad(x, [[0, 1]], Infinity), ops.pad(x, [[0, 1]], -Infinity)]),
      expected: [1, 2, Infinity, 1, 2, -Infinity],
    },
    'the two zeros': {
      apply: (x) => ops.concat([ops.div(1, ops.mul(x, 0)), ops.div(1, ops.mul(x, -0))]),
      expected: [Infinity, Infinity, -Infinity, -Infinity],
    },
    'clip with other limits': {
      apply: (x) => ops.concat([ops.clip(x, -Infinity, 1), ops.clip(x, 1.5, Infinity)]),
      expected: [1, 1, 1.5, 2],
    },
    'a float condition and large whole numbers': {
      apply: (x) => ops.select(ops.sub(x, 1), tensor([16777217, 16777219], undefined, { dtype: 'int32' }), 33554433),
      expected: [33554433, 16777219],
    },
  };
  it.each(Object.entries(CASES))('%s', (_name, { apply, expected }) => {
    for (const device of testDevices()) {
      for (const off of SETTINGS.concat([[]])) {
        disablePasses(...off);
        const read = withDevice(device, () => Array.from(apply(tensor([1, 2])).dataSync()));
        expect(read, `${device}, without ${off.join()}`).toEqual(expected);
      }
    }
  });
});
