import { FoveaError } from '../../errors.js';
import type { ElementwiseStep } from '../../graph/ir.js';
import { isFloat, isNarrow, type DType } from '../../tensor/dtype.js';
import type { OnnxBuilder } from './builder.js';
import type { OnnxAttribute } from './schema.js';

/** A value between instructions: ONNX tells numbers from truth values. */
interface Register {
  readonly name: string;
  readonly type: 'float32' | 'int32' | 'bool';
}

const DATA_TYPES: Readonly<Record<string, number>> = { float32: 1, uint8: 2, int32: 6, bool: 9 };

/** Opcodes that are one operator. */
const DIRECT: Readonly<Record<string, string>> = {
  ...{ neg: 'Neg', abs: 'Abs', sign: 'Sign', exp: 'Exp', log: 'Log', sqrt: 'Sqrt', reciprocal: 'Reciprocal' },
  ...{ floor: 'Floor', ceil: 'Ceil', round: 'Round', sin: 'Sin', cos: 'Cos', erf: 'Erf', tanh: 'Tanh' },
  ...{ sigmoid: 'Sigmoid', relu: 'Relu', selu: 'Selu', softplus: 'Softplus' },
  ...{ add: 'Add', sub: 'Sub', mul: 'Mul', div: 'Div', pow: 'Pow', maximum: 'Max', minimum: 'Min' },
};

const COMPARISONS: Readonly<Record<string, string>> = {
  ...{ equal: 'Equal', greater: 'Greater', greaterEqual: 'GreaterOrEqual', less: 'Less', lessEqual: 'LessOrEqual' },
};

/** Writes the instructions of an elementwise program as ONNX nodes. */
export class ElementwiseWriter {
  readonly #registers: Register[] = [];
  readonly #number: 'float32' | 'int32';

  constructor(
    private readonly builder: OnnxBuilder,
    private readonly step: ElementwiseStep,
    private readonly wish: string,
    inputs: readonly { readonly name: string; readonly dtype: DType }[],
  ) {
    this.#number = step.program.compute === 'float' ? 'float32' : 'int32';
    for (const { name, dtype } of inputs) {
      const type = dtype === 'bool' ? 'bool' : dtype === this.#number ? this.#number : undefined;
      this.#registers.push(type ? { name, type } : { name: this.#cast(name, this.#number), type: this.#number });
    }
  }

  /** Runs the program; `output` is the name its result gets. */
  write(dtype: DType, output: string): void {
    for (const { opcode, args, params } of this.step.program.instructions) {
      const operands = args.filter((a) => a >= 0).map((a) => this.#registers[a]!);
      this.#registers.push(this.#instruction(opcode, operands, params));
    }
    const result = this.#registers[this.step.program.results[0]!]!;
    this.#finish(result, dtype, output);
  }

  /** Lets the last node give the output its name, or adds one that does. */
  #finish(result: Register, dtype: DType, output: string): void {
    const { nodes } = this.builder;
    const last = nodes.at(-1);
    if (result.type !== dtype) {
      this.builder.node('Cast', [result.name], this.wish, { to: DATA_TYPES[dtype]! }, output);
    } else if (last?.outputs[0] === result.name && !this.#isInput(result.name)) {
      nodes[nodes.length - 1] = { ...last, outputs: [output] };
    } else this.builder.node('Identity', [result.name], this.wish, {}, output);
  }

  #isInput(name: string): boolean {
    return this.#registers.slice(0, this.step.inputs.length).some((register) => register.name === name);
  }

  #cast(name: string, type: string): string {
    return this.builder.node('Cast', [name], `${this.wish}/cast`, { to: DATA_TYPES[type]! });
  }

  #make(op: string, inputs: readonly Register[], attributes: Readonly<Record<string, OnnxAttribute>> = {}): Register {
    const names = inputs.map((register) => this.#asNumber(register).name);
    return { name: this.builder.node(op, names, `${this.wish}/${op.toLowerCase()}`, attributes), type: this.#number };
  }

  #asNumber(register: Register): Register {
    return register.type === 'bool' ? { name: this.#cast(register.name, this.#number), type: this.#number } : register;
  }

  #asBool(register: Register): Register {
    return register.type === 'bool' ? register : { name: this.#cast(register.name, 'bool'), type: 'bool' };
  }

  #truth(op: string, names: readonly string[]): Register {
    return { name: this.builder.node(op, names, `${this.wish}/${op.toLowerCase()}`), type: 'bool' };
  }

  #constant(value: number): Register {
    return { name: this.builder.scalar(value, this.#number), type: this.#number };
  }

  #instruction(opcode: string, args: readonly Register[], [p0 = 0, p1 = 0]: readonly number[]): Register {
    const [a, b] = args as [Register, Register];
    const c = (value: number): Register => this.#constant(value);
    const direct = DIRECT[opcode];
    if (direct !== undefined) return this.#make(direct, args);
    const comparison = COMPARISONS[opcode];
    if (comparison !== undefined)
      return this.#truth(
        comparison,
        args.map((x) => this.#asNumber(x).name),
      );
    switch (opcode) {
      case 'const':
        return c(p0);
      case 'identity':
        return a;
      case 'expm1':
        return this.#make('Sub', [this.#make('Exp', [a]), c(1)]);
      case 'log1p':
        return this.#make('Log', [this.#make('Add', [a, c(1)])]);
      case 'rsqrt':
        return this.#make('Reciprocal', [this.#make('Sqrt', [a])]);
      case 'square':
        return this.#make('Mul', [a, a]);
      case 'relu6':
        return this.#make('Clip', [a, c(0), c(6)]);
      case 'clip':
        return this.#make('Clip', [a, c(p0), c(p1)]);
      case 'leakyRelu':
        return this.#make('LeakyRelu', [a], { alpha: { float: p0 } });
      case 'elu':
        return this.#make('Elu', [a], { alpha: { float: p0 } });
      case 'silu':
        return this.#make('Mul', [a, this.#make('Sigmoid', [a])]);
      case 'hardSigmoid':
        return this.#make('HardSigmoid', [a], { alpha: { float: 1 / 6 }, beta: { float: 0.5 } });
      case 'gelu':
        return this.#gelu(a, this.#make('Erf', [this.#make('Mul', [a, c(Math.SQRT1_2)])]));
      case 'geluTanh': {
        const cube = this.#make('Mul', [this.#make('Mul', [a, a]), a]);
        const inner = this.#make('Add', [a, this.#make('Mul', [cube, c(0.044715)])]);
        return this.#gelu(a, this.#make('Tanh', [this.#make('Mul', [inner, c(Math.sqrt(2 / Math.PI))])]));
      }
      case 'floorDiv':
        return this.#make('Floor', [this.#make('Div', [a, b])]);
      case 'mod': {
        const whole = this.#make('Floor', [this.#make('Div', [a, b])]);
        return this.#make('Sub', [a, this.#make('Mul', [whole, b])]);
      }
      case 'notEqual':
        return this.#truth('Not', [this.#truth('Equal', [this.#asNumber(a).name, this.#asNumber(b).name]).name]);
      case 'not':
        return this.#truth('Not', [this.#asBool(a).name]);
      case 'and':
      case 'or':
        return this.#truth(opcode === 'and' ? 'And' : 'Or', [this.#asBool(a).name, this.#asBool(b).name]);
      case 'isNaN':
        return this.#truth('IsNaN', [a.name]);
      case 'isFinite': {
        const odd = this.#truth('Or', [this.#truth('IsNaN', [a.name]).name, this.#truth('IsInf', [a.name]).name]);
        return this.#truth('Not', [odd.name]);
      }
      case 'select': {
        const [condition, yes, no] = args as [Register, Register, Register];
        const names = [this.#asBool(condition), this.#asNumber(yes), this.#asNumber(no)].map(({ name }) => name);
        return { name: this.builder.node('Where', names, `${this.wish}/where`), type: this.#number };
      }
      case 'toInt':
        return { name: this.#cast(this.#asNumber(a).name, 'int32'), type: 'int32' };
      default:
        throw new FoveaError(`exportOnnx: the operation ${opcode} of layer "${this.step.layer}" cannot be exported`, {
          ...{ code: 'ERR_UNSUPPORTED', op: 'exportOnnx', layer: this.step.layer, received: opcode },
        });
    }
  }

  /** 0.5 x (1 + t) */
  #gelu(x: Register, t: Register): Register {
    const half = this.#make('Mul', [x, this.#constant(0.5)]);
    return this.#make('Mul', [half, this.#make('Add', [t, this.#constant(1)])]);
  }
}

/** Whether ONNX export knows a type. */
export function isExportable(dtype: DType): boolean {
  return !isNarrow(dtype) && (isFloat(dtype) || DATA_TYPES[dtype] !== undefined);
}
