/** What `npm run test:gpu` and `npm run bench:gpu` share: a real device, and reports. */
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');

/** Asks the library for its devices. Ends the process with `skipped: ...` where there is no NVIDIA device. */
export function gpu() {
  const source = "import('./lib/index.ts').then((fovea) => console.log('\\n' + JSON.stringify(fovea.devices())))";
  const { stdout, stderr, status } = spawnSync(process.execPath, ['--import', 'tsx', '-e', source], {
    cwd: root,
    encoding: 'utf8',
  });
  if (status !== 0) {
    console.error(stderr);
    process.exit(1);
  }
  const { present, missing } = JSON.parse(stdout.trim().split('\n').at(-1));
  const device = present.find(({ kind }) => kind === 'cuda');
  if (device === undefined) {
    const why = missing.find(({ name }) => name.startsWith('cuda'));
    skip(
      `no CUDA device (${why === undefined ? 'the addon is not built, or older than the sources' : `${why.reason}. ${why.remedy}`})`,
    );
  }
  if (device.description.startsWith('Emulated')) skip('no CUDA device (the one that is here is emulated)');
  return device;
}

function skip(reason) {
  console.log(`skipped: ${reason}`);
  process.exit(0);
}

/** Writes a report into `runs/` and says where. */
export function writeReport(name, report) {
  const folder = path.join(root, 'runs');
  fs.mkdirSync(folder, { recursive: true });
  const stamp = new Date().toISOString().replace(/[:.]/g, '-');
  const file = path.join(folder, `${name}-${stamp}.json`);
  fs.writeFileSync(`${file}.part`, `${JSON.stringify(report, null, 2)}\n`);
  fs.renameSync(`${file}.part`, file);
  console.log(`report: ${path.relative(root, file)}`);
}

/** What is to be known about the machine. */
export function surroundings(device) {
  const smi = spawnSync(
    'nvidia-smi',
    ['--query-gpu=name,driver_version,memory.total,clocks.max.sm', '--format=csv,noheader'],
    {
      encoding: 'utf8',
    },
  );
  const commit = spawnSync('git', ['rev-parse', 'HEAD'], { cwd: root, encoding: 'utf8' });
  return {
    date: new Date().toISOString(),
    commit: commit.stdout?.trim() ?? '',
    device,
    nvidiaSmi: smi.stdout?.trim() ?? '',
    node: process.version,
    settings: Object.fromEntries(Object.entries(process.env).filter(([name]) => name.startsWith('FOVEA_'))),
  };
}
