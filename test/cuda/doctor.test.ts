import { beforeAll, describe, expect, test } from 'vitest';
import { fovea } from '../cli/support.js';

// What `fovea doctor` says of devices that are there, and of those that are not. On the emulator (`npm run test:cuda`).

const emulated = process.env['FOVEA_TEST_EMULATOR'] !== undefined && process.env['FOVEA_EMU_ASYNC'] === 'eager';

interface Report {
  readonly canTrain: boolean;
  readonly device: string;
  readonly devices: { present: { name: string; capabilities: string[]; description: string }[]; missing: Missing[] };
  readonly checks: { name: string; status: string; detail: string; remedy?: string }[];
}
interface Missing {
  readonly name: string;
  readonly reason: string;
  readonly remedy: string;
}

describe.skipIf(!emulated)('fovea doctor', { timeout: 60_000 }, () => {
  beforeAll(() => {
    delete process.env['FOVEA_DEVICE']; // The default is one of the things to see.
  });

  async function report(env: Record<string, string>): Promise<Report> {
    const { code, stdout, stderr } = await fovea(['doctor', '--json'], { env });
    expect(code, stderr).toBe(0);
    return JSON.parse(stdout) as Report;
  }

  test('prints devices, versions and capabilities, and trains on the first', async () => {
    const env = { FOVEA_EMU_DEVICES: '2', FOVEA_DEVICE: 'cuda:1' };
    const { canTrain, device, devices, checks } = await report(env);
    expect({ canTrain, device }).toEqual({ canTrain: true, device: 'cuda:1' });
    expect(devices.present.map(({ name }) => name)).toEqual(expect.arrayContaining(['cpu', 'cuda:0', 'cuda:1']));
    const cuda = devices.present.find(({ name }) => name === 'cuda:1')!;
    expect(cuda.capabilities).toEqual(['sm90', 'f16', 'bf16', 'tf32', 'graphs']);
    const { status, detail } = checks.find(({ name }) => name === 'device cuda:1')!;
    expect(status).toBe('ok');
    expect(detail).toMatch(/compute capability 9\.0, \d+ multiprocessors, CUDA 1[23]\.\d+, cuDNN 9\.24\.0, 8.* GiB/);
    expect(detail).toMatch(/\(sm90 f16 bf16 tf32 graphs\)$/);
    expect(checks.find(({ name }) => name === 'training step')!.detail).toMatch(/^ran on cuda:1 in \d+ ms$/);
  });

  test.each([
    ['no driver', { FOVEA_EMU_NO_DRIVER: '1' }, 'cuda', /cudaErrorInsufficientDriver, 35\)/, /NVIDIA's driver/],
    ['no device', { FOVEA_EMU_DEVICES: '0' }, 'cuda', /cudaErrorNoDevice, 100\)/, /CUDA_VISIBLE_DEVICES/],
    ['an old cuDNN', { FOVEA_EMU_CUDNN_VERSION: '90700' }, 'cuda', /9\.8 or later, received .*9\.7\.0/, /cuda:sdk/],
    ['an old card', { FOVEA_EMU_SM: '61' }, 'cuda:0', /has compute capability 6\.1/, /^Use a device of .* 7\.5/],
  ])('%s: reason and remedy', async (_name, env, name, reason, remedy) => {
    const { canTrain, device, devices, checks } = await report(env);
    expect({ canTrain, device }).toEqual({ canTrain: true, device: 'cpu' });
    const row = devices.missing.find((missing) => missing.name === name)!;
    expect(row.reason).toMatch(reason);
    expect(row.remedy).toMatch(remedy);
    const check = checks.find((c) => c.name === `device ${name}`)!;
    expect(check).toEqual({
      ...{ name: `device ${name}`, status: 'warning' },
      ...{ detail: `not available: ${row.reason}`, remedy: row.remedy },
    });
  });

  test('tells people the same', async () => {
    const env = { FOVEA_EMU_NO_DRIVER: '1' };
    const [{ devices }, { stdout }] = await Promise.all([report(env), fovea(['doctor'], { env })]);
    const { reason, remedy } = devices.missing.find(({ name }) => name === 'cuda')!;
    expect(stdout).toContain(reason);
    expect(stdout).toContain(`-> ${remedy}`);
  });
});
