import { devices } from '../../lib/backends/registry.js';

/**
 * The devices that tests run on: all that are there, or those of `FOVEA_TEST_DEVICES` (names with commas), which have
 * to be there. The reference is always one: it is what the others are compared with.
 */
export function testDevices(): readonly string[] {
  const present = devices().present.map((d) => d.name);
  const chosen = process.env['FOVEA_TEST_DEVICES'];
  if (!chosen) return present;
  const names = chosen.split(',');
  const absent = names.filter((name) => !present.includes(name));
  if (absent.length > 0) {
    const reasons = devices().missing.map(({ name, reason }) => `${name}: ${reason}`);
    throw new Error(
      `FOVEA_TEST_DEVICES names ${absent.join(', ')}, there are ${present.join(', ')}. ${reasons.join('; ')}`,
    );
  }
  return ['reference', ...names.filter((name) => name !== 'reference')];
}
