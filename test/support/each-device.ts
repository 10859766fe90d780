import { afterAll, beforeAll, describe } from 'vitest';
import { currentDevice, setDevice } from '../../lib/backends/registry.js';
import { testDevices } from './devices.js';

/**
 * Runs a suite on every device of the tests, with that device selected; a cpu that is not there shows as skipped.
 *
 * @param name - of the suite; the device is added
 * @param body - defines the tests
 */
export function describeEachDevice(name: string, body: (device: string) => void): void {
  const present = testDevices();
  const wanted = process.env['FOVEA_TEST_DEVICES'] ? present : [...new Set(['reference', 'cpu', ...present])];
  for (const device of wanted) {
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
