import { ReferenceBackend } from './backend.js';

export { ReferenceBackend };

/** Makes a reference device of its own: its buffers, plans and queue are shared with no other. */
export function createReferenceBackend(): ReferenceBackend {
  return new ReferenceBackend();
}
