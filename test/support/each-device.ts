import { afterAll, beforeAll, describe } from 'vitest';
import { currentDevice, devices, setDevice } from '../../lib/backends/registry.js';

/** The devices that tests run on: the specification, and the native one where it was built. */
export const TEST_DEVICES = ['reference', 'cpu'] as const;

export type TestDevice = (typeof TEST_DEVICES)[number];

/**
 * Runs a suite on every device, with that device selected; on one that is not there the suite shows as skipped.
 *
 * @param name - of the suite; the device is added
 * @param body - defines the tests
 */
export function describeEachDevice(name: string, body: (device: TestDevice) => void): void {
  const present = devices().present.map((d) => d.name);
  for (const device of TEST_DEVICES) {
    describe.skipIf(!present.includes(device))(`${name} [${device}]`, () => {
      let before: string;
      beforeAll(() => {
        before = currentDevice();
        setDevice(device);
      });
      afterAll(() => setDevice(before));
      body(device);
    });
  }
}
