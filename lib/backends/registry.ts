import { AsyncLocalStorage } from 'node:async_hooks';
import { FoveaError } from '../errors.js';
import type { Backend, DeviceInfo, MissingDevice } from './backend.js';
import { openNative } from './native/index.js';
import { ReferenceBackend } from './reference/index.js';

let selected: string | undefined;
/** The device of the enclosing `withDevice`. */
const scoped = new AsyncLocalStorage<string>();
const backends = new Map<string, Backend>();
let native: ReturnType<typeof openNative> | undefined;
let warned = false;

function nativeSide(): ReturnType<typeof openNative> {
  native ??= openNative();
  return native;
}

/** `cuda` is the first NVIDIA device. */
const fullName = (name: string): string => (name === 'cuda' ? 'cuda:0' : name);

/** The devices that can be used here, and those that were looked for in vain, each with the reason. */
export function devices(): { present: DeviceInfo[]; missing: MissingDevice[] } {
  const { present, missing } = nativeSide();
  return { present: [...present.map((b) => b.device), backendOf('reference').device], missing };
}

/**
 * The device that new tensors and variables are made on.
 *
 * Without a choice: `cpu` when the addon is there, else `reference` with one warning that says how to get the fast one.
 * The environment variable `FOVEA_DEVICE` chooses too.
 */
export function currentDevice(): string {
  return scoped.getStore() ?? (selected ??= fullName(process.env['FOVEA_DEVICE'] ?? defaultDevice()));
}

/**
 * Chooses the device for new tensors and variables: `cpu`, `reference`, `cuda:0`, `cuda:1`, … (`cuda` is the first).
 *
 * @throws FoveaError ERR_DEVICE with the reason when it is not there
 */
export function setDevice(name: string): void {
  backendOf(name);
  selected = fullName(name);
}

/**
 * Runs `fn` with another device chosen; tensors made in it live there. Also across `await`s in `fn`, and without
 * touching code that runs meanwhile.
 */
export function withDevice<T>(name: string, fn: () => T): T {
  backendOf(name);
  return scoped.run(fullName(name), fn);
}

/** The backend of a device; throws with the reason when it is not there. */
export function backendOf(device: string): Backend {
  const name = fullName(device);
  const known = backends.get(name);
  if (known) return known;
  let backend: Backend | undefined;
  if (name === 'reference') backend = new ReferenceBackend();
  else {
    backend = nativeSide().present.find((b) => b.device.name === name);
    if (!backend) {
      const { present, missing } = nativeSide();
      // Where there is no NVIDIA device at all, none has a number.
      const why = missing.find((m) => m.name === name || (m.name === 'cuda' && name.startsWith('cuda:')));
      const have = [...present.map((b) => b.device.name), 'reference'].join(', ');
      throw new FoveaError(
        why
          ? `device ${device} is not available: ${why.reason}. ${why.remedy}`
          : `device ${device} is unknown; there are: ${have}`,
        { code: 'ERR_DEVICE', expected: have, received: device },
      );
    }
  }
  backends.set(name, backend);
  return backend;
}

function defaultDevice(): string {
  const { present, missing } = nativeSide();
  if (present.some((b) => b.device.name === 'cpu')) return 'cpu';
  if (!warned) {
    warned = true;
    const why = missing.find((m) => m.name === 'cpu');
    process.emitWarning(
      `the native CPU backend is not available (${why?.reason ?? 'unknown reason'}); using the slow reference backend. ` +
        (why?.remedy ?? ''),
      'FoveaWarning',
    );
  }
  return 'reference';
}
