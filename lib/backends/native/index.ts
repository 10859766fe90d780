import type { MissingDevice } from '../backend.js';
import { HOW_TO_BUILD, loadAddon } from './load.js';
import { NativeBackend } from './native-backend.js';

export { HOW_TO_BUILD, loadAddon, NativeBackend };

/** The native devices that can be used here, and those that cannot, with the reason. Looks again at every call. */
export function openNative(): { present: NativeBackend[]; missing: MissingDevice[] } {
  const loaded = loadAddon();
  if (!('addon' in loaded))
    return { present: [], missing: [{ name: 'cpu', reason: loaded.reason, remedy: HOW_TO_BUILD }] };
  const { present, missing } = loaded.addon.devices();
  return { present: present.map((device) => new NativeBackend(loaded.addon, device)), missing };
}
