import { FoveaError } from '../errors.js';
import type { Config } from '../util/options.js';
import type { Layer } from './layer.js';
import { describe } from './nest.js';
import { suggestion } from './suggest.js';

/** The constructor options of a layer, as JSON. */
export type LayerConfig = Config;

/** A layer as JSON: enough to make another one like it, without its weights. */
export interface SerializedLayer {
  readonly className: string;
  readonly config: LayerConfig;
  /** `package>ClassName` of classes registered with {@link registerLayer}. */
  readonly registeredName?: string;
}

/** A layer class that can be made again from a configuration. */
export interface LayerClass<L extends Layer = Layer> {
  readonly name: string;
  readonly prototype: L;
  fromConfig(config: LayerConfig, customLayers?: CustomLayers): Layer;
}

/** Classes by name, for models with layers that were not registered. */
export type CustomLayers = Readonly<Record<string, LayerClass>>;

const classes = new Map<string, LayerClass>();
const registeredNames = new Map<object, string>();
const builtins = new Set<string>();

/** The name a class has in configurations: its static `className`, else its own name. */
export function classNameOf(layer: object): string {
  const made = layer.constructor as { readonly className?: unknown; readonly name: string };
  return Object.hasOwn(made, 'className') && typeof made.className === 'string' ? made.className : made.name;
}

/**
 * Makes a layer class known, so that models that use it can be read back from JSON and from files.
 *
 * @param layerClass - has a constructor that takes what `getConfig()` returns, or its own static `fromConfig`
 * @param packageName - keeps classes of one name apart: the class is saved as `package>ClassName`
 * @returns the class
 * @throws FoveaError when another class has that name in that package
 */
export function registerLayer<C extends LayerClass>(layerClass: C, packageName = 'custom'): C {
  const name = `${packageName}>${classNameOf({ constructor: layerClass })}`;
  const known = classes.get(name);
  if (known !== undefined && known !== layerClass) {
    throw new FoveaError(`registerLayer: expected a new name, received ${name}, which another class has`);
  }
  classes.set(name, layerClass);
  registeredNames.set(layerClass, name);
  return layerClass;
}

/** @internal Registers the library's own classes, under their plain names. */
export function registerBuiltins(all: readonly LayerClass[]): void {
  for (const layerClass of all) {
    const name = classNameOf({ constructor: layerClass });
    classes.set(name, layerClass);
    builtins.add(name);
  }
}

/** A layer as JSON. */
export function serializeLayer(layer: Layer): SerializedLayer {
  const registeredName = registeredNames.get(layer.constructor);
  return { className: layer.className, config: layer.getConfig(), ...(registeredName ? { registeredName } : {}) };
}

/**
 * The layer that {@link serializeLayer} described, with new weights.
 *
 * @param customLayers - classes by name, looked at first
 * @throws FoveaError ERR_NOT_FOUND when the class is not known
 */
export function deserializeLayer(json: SerializedLayer, customLayers: CustomLayers = {}): Layer {
  if (typeof json !== 'object' || json === null || typeof json.className !== 'string') {
    throw new FoveaError(`deserializeLayer: expected a record with className and config, received ${describe(json)}`);
  }
  const layerClass = findLayerClass(json, customLayers);
  if (!layerClass) {
    const { className, registeredName } = json;
    throw new FoveaError(
      `deserializeLayer: expected a known layer class, received '${registeredName ?? className}'` +
        `${suggestion(className, builtins)} (your own classes need registerLayer)`,
      { code: 'ERR_NOT_FOUND', received: className },
    );
  }
  return layerClass.fromConfig(json.config, customLayers);
}

/** @internal The class that a description means, if it is known. */
export function findLayerClass(
  { className, registeredName }: Pick<SerializedLayer, 'className' | 'registeredName'>,
  customLayers: CustomLayers = {},
): LayerClass | undefined {
  return (
    (registeredName === undefined ? undefined : (customLayers[registeredName] ?? classes.get(registeredName))) ??
    customLayers[className] ??
    classes.get(className) ??
    classes.get(`custom>${className}`)
  );
}
