import type { MissingDevice } from '../backend.js';
import { loadAddon } from './load.js';
import { NativeBackend } from './native-backend.js';

export { loadAddon, NativeBackend };

const REMEDY =
  'Build the addon with "npm run setup" (it needs a C++ compiler, CMake and oneDNN, and installs or names them)';

/** The native devices that can be used here, and those that cannot, with the reason. Looks again at every call. */
export function openNative(): { present: NativeBackend[]; missing: MissingDevice[] } {
  const loaded = loadAddon();
  if (!('addon' in loaded)) return { present: [], missing: [{ name: 'cpu', reason: loaded.reason, remedy: REMEDY }] };
  const { present, missing } = loaded.addon.devices();
  return { present: present.map((device) => new NativeBackend(loaded.addon, device)), missing };
}
