import { FoveaError, isPublishedName, loadPretrained } from '../lib/index.js';
import type { Model, PullOptions, Sequential } from '../lib/index.js';
import type { ModelOptions } from './options.js';

/** Options of a network that comes with weights. */
export type PretrainedOptions<O extends ModelOptions = ModelOptions> = Omit<O, 'weights'> &
  Pick<PullOptions, 'mirror' | 'progress' | 'signal'> & {
    /**
     * `'imagenet'`: the preferred ones of those that are published for the network; a publisher's name
     * (`'IMAGENET1K_V1'`) for others; or the path of a file. Published ones are downloaded once, into the cache folder.
     */
    readonly weights: string;
  };

/** Makes a network: at once with random weights, by and by with those of a file. */
export interface ModelBuilder<
  O extends ModelOptions = ModelOptions,
  M extends Model | Sequential = Model | Sequential,
> {
  (options?: O): M;
  (options: PretrainedOptions<O>): Promise<M>;
}

/** The classes of ImageNet, which published classifiers tell apart. */
const CLASSES = 1000;

/**
 * Lets a network be made with `weights`.
 *
 * @param name - the network's name in the zoo
 * @param build - makes it with random weights
 * @param published - options that the published weights were trained with
 */
export function pretrained<O extends ModelOptions, M extends Model | Sequential>(
  name: string,
  build: (options?: O) => M,
  published: Partial<O> = {},
): ModelBuilder<O, M> {
  const load = async ({ weights, mirror, progress, signal, ...rest }: PretrainedOptions<O>): Promise<M> => {
    const official = isPublishedName(name, weights);
    const given = rest as unknown as O;
    const { includeTop = true, classes = CLASSES } = given;
    if (official && includeTop && classes !== CLASSES) {
      throw new FoveaError(
        `${name}: expected ${CLASSES} classes with the published classifier, received ${classes}; ` +
          'includeTop: false leaves it out, for a classifier of your own',
        { code: 'ERR_ARGUMENT', op: name, expected: CLASSES, received: classes },
      );
    }
    const model = build(official ? { ...published, ...given } : given);
    try {
      await loadPretrained(model, name, weights, { includeTop, mirror, progress, signal });
    } catch (error) {
      for (const weight of model.weights) weight.dispose();
      throw error;
    }
    return model;
  };
  const make = (options?: O | PretrainedOptions<O>): M | Promise<M> =>
    typeof options?.weights === 'string' ? load(options) : build(options);
  return make as ModelBuilder<O, M>;
}
