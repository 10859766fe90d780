import { afterEach, describe, expect, it } from 'vitest';
import { FoveaError, modelFromJSON, type Model } from '../../lib/index.js';
import { leNet5 } from '../../models/le-net5.js';
import type { ModelOptions } from '../../models/options.js';
import { readGolden } from '../support/golden.js';
import {
  checkCounts,
  checkLegacyOrder,
  checkWeightList,
  disposeModel,
  readModel,
  readSeedModel,
} from '../support/zoo.js';
import { KERAS_MODELS, KERAS_SIZES } from './keras-zoo.js';

interface Facts {
  readonly models: readonly {
    readonly model: string;
    readonly params: number;
    readonly layers: number;
    readonly inputSize: readonly [number, number, number];
  }[];
}

const facts = (name: string): Facts['models'][number] =>
  readGolden<Facts>('pretrained-facts-keras.json').models.find(({ model }) => model === name)!;

let made: Model[] = [];
const keep = <M extends Model>(model: M): M => {
  made.push(model);
  return model;
};
afterEach(() => {
  made.forEach(disposeModel);
  made = [];
});

describe('Networks of keras.applications', () => {
  for (const [name, { make, fixtures, least }] of Object.entries(KERAS_MODELS)) {
    for (const file of fixtures) {
      it(`${file}: weights by name, order and shape; parameters`, () => {
        const fixture = readModel(`models-keras/${file}.json`);
        const model = keep(make(file.endsWith('-notop') ? { includeTop: false, pooling: 'avg' } : {}));
        checkCounts(model, fixture);
        checkLegacyOrder(model, fixture);
        checkWeightList(model, fixture);
        expect(model.inputs.map(({ shape }) => shape)).toEqual([[null, ...fixture.inputShape]]);
      });
    }

    it(`${name}: as many layers as Keras's`, () => {
      const model = keep(make());
      expect(model.layers.length).toBe(facts(name).layers);
      expect(new Set(model.layers.map((layer) => layer.name)).size).toBe(model.layers.length);
    });

    it(`${name}: without a top, for images of any size`, () => {
      const inputShape = [null, null, 3];
      const maps = keep(make({ includeTop: false, inputShape })).outputs[0]!.shape;
      expect(maps.slice(0, 3)).toEqual([null, null, null]);
      for (const pooling of ['avg', 'max'] as const) {
        const model = keep(make({ includeTop: false, inputShape, pooling }));
        expect(model.outputs[0]!.shape).toEqual([null, maps[3]!]);
        expect(keep(make({ includeTop: false, pooling })).layers.at(-1)!.name).toMatch(
          pooling === 'avg' ? /^avg_pool$|^global_average_pooling2d$/ : /^max_pool$|^global_max_pooling2d$/,
        );
      }
    });

    it(`${name}: images as small as Keras allows, not smaller`, () => {
      const model = keep(make({ inputShape: [least, least, 3], classes: 2 }));
      expect(model.outputs[0]!.shape).toEqual([null, 2]);
      expect(() => make({ inputShape: [least, least - 1, 3] })).toThrow(/expected inputShape to be/);
    });

    it(`${name}: from its own JSON`, () => {
      const model = keep(make({ inputShape: [least, least, 3], dropout: 0.25 }));
      const json = JSON.stringify(model);
      const again = keep(modelFromJSON(json));
      expect(JSON.stringify(again)).toBe(json);
      expect(again.weights.map(({ name, shape }) => [name, shape])).toEqual(
        model.weights.map(({ name, shape }) => [name, shape]),
      );
    });

    it(`${name}: other classes, an activation and a name of one's own`, () => {
      const model = keep(make({ classes: 7, classifierActivation: 'sigmoid', name: 'mine', dropout: 0.5 }));
      expect(model.outputs[0]!.shape).toEqual([null, 7]);
      expect(model.name).toBe('mine');
      expect(model.getLayer('predictions').getConfig()['activation']).toBe('sigmoid');
      expect(keep(make()).getLayer('predictions').getConfig()['activation']).toBe('softmax');
    });
  }

  for (const [name, make] of Object.entries(KERAS_SIZES)) {
    it(`${name}: parameters, layers, size of the images`, () => {
      const model = keep(make());
      const { params, layers, inputSize } = facts(name);
      expect({ params: model.countParams(), layers: model.layers.length }).toEqual({ params, layers });
      expect(model.inputs[0]!.shape).toEqual([null, ...inputSize]);
    });
  }

  it('LeNet-5: parameters and order of weights', () => {
    const fixture = readSeedModel('lenet5');
    const model = keep(leNet5());
    checkCounts(model, fixture);
    checkLegacyOrder(model, fixture, 'lenet5/');
    expect(model.weights.map((weight) => `lenet5/${weight.name}`)).toEqual(fixture.weights.map(({ path }) => path));
  });
});

describe('EfficientNet', () => {
  const { make } = KERAS_MODELS['EfficientNetB0']!;

  it('takes the rescaling that published weights expect, and other rates of dropping blocks', () => {
    const model = keep(make({ imagenetRescaling: true, dropConnectRate: 0.4 } as ModelOptions));
    expect(model.layers.slice(0, 4).map((layer) => layer.name)).toEqual([
      'input_layer',
      'rescaling',
      'normalization',
      'rescaling_1',
    ]);
    expect(model.getLayer('block7a_project_bn').name).toBe('block7a_project_bn');
    expect(model.getLayer('block6d_drop').getConfig()).toMatchObject({
      rate: (0.4 * 14) / 16,
      noiseShape: [null, 1, 1, 1],
    });
    const plain = keep(make({ dropConnectRate: 0, dropout: 0 } as ModelOptions));
    expect(plain.layers.filter((layer) => layer.className === 'Dropout')).toEqual([]);
  });
});

describe('MobileNets', () => {
  for (const [name, alpha, params] of [
    ['MobileNet', 0.25, 475_544],
    ['MobileNet', 0.5, 1_342_536],
    ['MobileNetV2', 0.35, 1_691_208],
    ['MobileNetV2', 1.4, 6_156_712],
  ] as const) {
    it(`${name} of ${alpha} times the width: as many parameters as Keras's`, () => {
      expect(keep(KERAS_MODELS[name]!.make({ alpha } as ModelOptions)).countParams()).toBe(params);
    });
  }
});

describe('Options of networks', () => {
  const { make } = KERAS_MODELS['VGG16']!;
  const wrong: readonly (readonly [string, object, RegExp])[] = [
    ['an unknown key', { clases: 10 }, /vgg16: expected options to be among .*, received "clases"/],
    ['classes', { classes: 0 }, /vgg16: expected classes to be a whole number of at least 1, received 0/],
    ['small images', { inputShape: [16, 224, 3] }, /expected inputShape .* at least 32, received \[16,224,3\]/],
    ['images of unknown size', { inputShape: [null, null, 3] }, /expected inputShape .* known/],
    ['no channels', { inputShape: [224, 224] }, /expected inputShape to be \[height, width, channels\]/],
    ['pooling', { pooling: 'mean' }, /expected pooling to be 'avg' or 'max', received "mean"/],
    ['activation', { classifierActivation: 'relu' }, /expected classifierActivation/],
    ['dropout', { dropout: 1 }, /expected dropout to be a number in \[0, 1\), received 1/],
    ['dropout that is no number', { dropout: NaN }, /expected dropout/],
    ['includeTop', { includeTop: 'no' }, /expected includeTop to be true or false/],
    ['weights', { weights: 3 }, /expected weights to be null, 'imagenet', .*, received 3/],
  ];
  for (const [what, options, message] of wrong) {
    it(`refuses ${what}`, () => {
      expect(() => make(options as ModelOptions)).toThrow(message);
      expect(() => make(options as ModelOptions)).toThrow(FoveaError);
    });
  }
});
