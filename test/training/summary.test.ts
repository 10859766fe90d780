import { beforeEach, describe, expect, test } from 'vitest';
import { setDevice } from '../../lib/backends/registry.js';
import * as layers from '../../lib/layers/index.js';
import type { Layer } from '../../lib/layers/index.js';
import { input } from '../../lib/layers/index.js';
import { zeros } from '../../lib/tensor/create.js';
import type { Tensor } from '../../lib/tensor/tensor.js';
import { Model } from '../../lib/training/model.js';
import { Sequential } from '../../lib/training/sequential.js';
import type { SummaryOptions } from '../../lib/training/summary.js';

beforeEach(() => {
  setDevice('reference');
  layers.resetLayerNames();
});

function summaryOf(model: Model, options: SummaryOptions = {}): string {
  const lines: string[] = [];
  model.summary({ ...options, printFn: (line) => lines.push(line) });
  return lines.join('\n');
}

describe('summary', () => {
  test('of the Fashion-MNIST CNN', () => {
    const conv = (filters: number, kernelSize = 3): Layer =>
      layers.conv2d({ filters, kernelSize, padding: 'same', activation: 'relu' });
    const model = new Sequential([
      layers.inputLayer({ shape: [28, 28, 1] }),
      conv(64, 7),
      layers.maxPooling2d(),
      conv(128),
      conv(128),
      layers.maxPooling2d(),
      conv(256),
      conv(256),
      layers.maxPooling2d(),
      layers.flatten(),
      layers.dense({ units: 128, activation: 'relu' }),
      layers.dropout({ rate: 0.5 }),
      layers.dense({ units: 64, activation: 'relu' }),
      layers.dropout({ rate: 0.5 }),
      layers.dense({ units: 10, activation: 'softmax' }),
    ]);
    expect(summaryOf(model)).toMatchInlineSnapshot(`
      "Model: "sequential"
      ┏━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━┓
      ┃ Layer (type)                     ┃ Output Shape          ┃       Param # ┃
      ┡━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━┩
      │ conv2d (Conv2D)                  │ [null, 28, 28, 64]    │         3,200 │
      ├──────────────────────────────────┼───────────────────────┼───────────────┤
      │ max_pooling2d (MaxPooling2D)     │ [null, 14, 14, 64]    │             0 │
      ├──────────────────────────────────┼───────────────────────┼───────────────┤
      │ conv2d_1 (Conv2D)                │ [null, 14, 14, 128]   │        73,856 │
      ├──────────────────────────────────┼───────────────────────┼───────────────┤
      │ conv2d_2 (Conv2D)                │ [null, 14, 14, 128]   │       147,584 │
      ├──────────────────────────────────┼───────────────────────┼───────────────┤
      │ max_pooling2d_1 (MaxPooling2D)   │ [null, 7, 7, 128]     │             0 │
      ├──────────────────────────────────┼───────────────────────┼───────────────┤
      │ conv2d_3 (Conv2D)                │ [null, 7, 7, 256]     │       295,168 │
      ├──────────────────────────────────┼───────────────────────┼───────────────┤
      │ conv2d_4 (Conv2D)                │ [null, 7, 7, 256]     │       590,080 │
      ├──────────────────────────────────┼───────────────────────┼───────────────┤
      │ max_pooling2d_2 (MaxPooling2D)   │ [null, 3, 3, 256]     │             0 │
      ├──────────────────────────────────┼───────────────────────┼───────────────┤
      │ flatten (Flatten)                │ [null, 2304]          │             0 │
      ├──────────────────────────────────┼───────────────────────┼───────────────┤
      │ dense (Dense)                    │ [null, 128]           │       295,040 │
      ├──────────────────────────────────┼───────────────────────┼───────────────┤
      │ dropout (Dropout)                │ [null, 128]           │             0 │
      ├──────────────────────────────────┼───────────────────────┼───────────────┤
      │ dense_1 (Dense)                  │ [null, 64]            │         8,256 │
      ├──────────────────────────────────┼───────────────────────┼───────────────┤
      │ dropout_1 (Dropout)              │ [null, 64]            │             0 │
      ├──────────────────────────────────┼───────────────────────┼───────────────┤
      │ dense_2 (Dense)                  │ [null, 10]            │           650 │
      └──────────────────────────────────┴───────────────────────┴───────────────┘
       Total params: 1,413,834 (5.39 MB)
       Trainable params: 1,413,834 (5.39 MB)
       Non-trainable params: 0 (0.00 B)"
    `);
  });

  test('of a graph says what is connected to what', () => {
    const x = input({ shape: [8, 8, 3] });
    const y = layers.conv2d({ filters: 3, kernelSize: 3, padding: 'same' }).apply(x);
    const model = new Model({
      inputs: x,
      outputs: layers.add().apply([x, layers.batchNormalization().apply(y)]),
    });
    expect(summaryOf(model, { width: 90 })).toMatchInlineSnapshot(`
      "Model: "functional"
      ┏━━━━━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━━━━┓
      ┃ Layer (type)               ┃ Output Shape         ┃     Param # ┃ Connected to         ┃
      ┡━━━━━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━━━━┩
      │ input_layer (InputLayer)   │ [null, 8, 8, 3]      │           0 │ -                    │
      ├────────────────────────────┼──────────────────────┼─────────────┼──────────────────────┤
      │ conv2d (Conv2D)            │ [null, 8, 8, 3]      │          84 │ input_layer[0][0]    │
      ├────────────────────────────┼──────────────────────┼─────────────┼──────────────────────┤
      │ batch_normalization        │ [null, 8, 8, 3]      │          12 │ conv2d[0][0]         │
      │ (BatchNormalization)       │                      │             │                      │
      ├────────────────────────────┼──────────────────────┼─────────────┼──────────────────────┤
      │ add (Add)                  │ [null, 8, 8, 3]      │           0 │ input_layer[0][0],   │
      │                            │                      │             │ batch_normalization  │
      │                            │                      │             │ [0][0]               │
      └────────────────────────────┴──────────────────────┴─────────────┴──────────────────────┘
       Total params: 96 (384.00 B)
       Trainable params: 90 (360.00 B)
       Non-trainable params: 6 (24.00 B)"
    `);
  });

  test('shows the layers of models in the model when asked, and what is frozen', () => {
    const base = new Sequential([layers.conv2d({ filters: 2, kernelSize: 3, inputShape: [8, 8, 1] })], {
      name: 'base',
    });
    const model = new Sequential([base, layers.flatten(), layers.dense({ units: 2 })]);
    base.trainable = false;
    expect(summaryOf(model, { expandNested: true, showTrainable: true })).toMatchInlineSnapshot(`
      "Model: "sequential"
      ┏━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━┳━━━━━━━━━┓
      ┃ Layer (type)                 ┃ Output Shape       ┃    Param # ┃ Trained ┃
      ┡━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━╇━━━━━━━━━┩
      │ base (Sequential)            │ [null, 6, 6, 2]    │         20 │ no      │
      ├──────────────────────────────┼────────────────────┼────────────┼─────────┤
      │ └ conv2d (Conv2D)            │ [null, 6, 6, 2]    │         20 │ no      │
      ├──────────────────────────────┼────────────────────┼────────────┼─────────┤
      │ flatten (Flatten)            │ [null, 72]         │          0 │ -       │
      ├──────────────────────────────┼────────────────────┼────────────┼─────────┤
      │ dense (Dense)                │ [null, 2]          │        146 │ yes     │
      └──────────────────────────────┴────────────────────┴────────────┴─────────┘
       Total params: 166 (664.00 B)
       Trainable params: 146 (584.00 B)
       Non-trainable params: 20 (80.00 B)"
    `);
  });

  test('fits the terminal, if there is one', () => {
    const model = new Sequential([layers.input({ shape: [8] }), layers.dense({ units: 3 })]);
    const widthOf = (): number => summaryOf(model).split('\n')[1]!.length;
    const { stdout } = process;
    const [isTTY, columns] = [stdout.isTTY, stdout.columns];
    try {
      for (const [terminal, width] of [
        [undefined, 76],
        [20, 60],
        [90, 90],
        [400, 120],
      ] as const) {
        Object.assign(stdout, { isTTY: terminal !== undefined, columns: terminal });
        expect(widthOf()).toBe(width);
      }
    } finally {
      Object.assign(stdout, { isTTY, columns });
    }
  });

  test('of models that are not built, and of subclasses', () => {
    class Mine extends Model {
      readonly dense = layers.dense({ units: 2 });
      override call(x: Tensor): Tensor {
        return this.dense.apply(x);
      }
    }
    const model = new Mine();
    expect(summaryOf(model)).toContain('│ dense (Dense)                    │ ?                     │   0 (unbuilt) │');
    model.apply(zeros([1, 3]));
    expect(summaryOf(model)).toContain('│ dense (Dense)                    │ [null, 2]             │             8 │');
  });
});
