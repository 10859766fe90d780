#!/usr/bin/env node
/**
 * `npm run cuda:sdk`: fetches cuDNN and cuBLAS as pip's wheels and unpacks them into .cuda/, where the build and the
 * loader look for them. The CUDA toolkit (nvcc and the runtime) has to be installed; NVIDIA's driver only to run.
 *
 *   node scripts/cuda-sdk.mjs [--cuda 12|13] [--force]
 *
 * The wheels are NVIDIA's, under NVIDIA's licence terms: they are not part of this package and stay on this machine.
 */
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const folder = path.join(root, '.cuda');

/** Versions that the tests were run with. */
const WHEELS = {
  13: ['nvidia-cudnn-cu13==9.24.0.43', 'nvidia-cublas==13.1.1.3'],
  12: ['nvidia-cudnn-cu12==9.24.0.43', 'nvidia-cublas-cu12==12.9.1.4'],
};
/** What has to be there in the end, with the versions of CUDA it belongs to. */
const EXPECTED = {
  13: ['cudnn/lib/libcudnn.so.9', 'cudnn/include/cudnn_graph.h', 'cu13/lib/libcublas.so.13', 'cu13/include/cublasLt.h'],
  12: [
    'cudnn/lib/libcudnn.so.9',
    'cudnn/include/cudnn_graph.h',
    'cublas/lib/libcublas.so.12',
    'cublas/include/cublasLt.h',
  ],
};
/** An archive that claims more than this is none of ours. */
const MOST_BYTES = 8 * 1024 ** 3;

function stop(message, remedy) {
  console.error(`cuda:sdk: ${message}`);
  if (remedy) console.error(`  ${remedy}`);
  process.exit(1);
}

const wanted = process.argv.includes('--cuda') ? process.argv[process.argv.indexOf('--cuda') + 1] : cudaMajor();
if (!(wanted in WHEELS)) stop(`expected --cuda 12 or 13, received ${wanted}`);

const complete = () => EXPECTED[wanted].every((file) => fs.existsSync(path.join(folder, 'nvidia', file)));
if (complete() && !process.argv.includes('--force')) {
  console.log(`cuda:sdk: .cuda/ has cuDNN and cuBLAS for CUDA ${wanted} already (--force fetches them again)`);
  process.exit(0);
}

const downloads = path.join(folder, 'wheels');
fs.rmSync(downloads, { recursive: true, force: true });
fs.mkdirSync(downloads, { recursive: true });
console.log(`cuda:sdk: fetching ${WHEELS[wanted].join(', ')} (about 1 GB)`);
const pip = spawnSync(
  'python3',
  [
    '-m',
    'pip',
    'download',
    '--retries',
    '0',
    '--no-deps',
    '--only-binary',
    ':all:',
    '--dest',
    downloads,
    ...WHEELS[wanted],
  ],
  { stdio: ['ignore', 'inherit', 'inherit'] },
);
if (pip.error?.code === 'ENOENT') {
  stop(
    'python3 was not found',
    'Install python3 and pip (Debian/Ubuntu: apt install python3-pip), or cuDNN 9 and cuBLAS by NVIDIA’s packages',
  );
}
if (pip.status !== 0) {
  stop(
    'pip could not fetch the wheels (see above)',
    'Without a network: copy a .cuda/ folder made elsewhere, or install cuDNN 9 and cuBLAS by NVIDIA’s packages and set CUDA_HOME. Without pip: apt install python3-pip',
  );
}

const next = path.join(folder, 'next');
fs.rmSync(next, { recursive: true, force: true });
for (const wheel of fs.readdirSync(downloads).filter((name) => name.endsWith('.whl'))) {
  console.log(`cuda:sdk: unpacking ${wheel}`);
  try {
    unpack(path.join(downloads, wheel), next);
  } catch (error) {
    stop(`${wheel}: ${error.message}`, 'Run it again: the file may have been cut short');
  }
}
const missing = EXPECTED[wanted].filter((file) => !fs.existsSync(path.join(next, 'nvidia', file)));
if (missing.length > 0) stop(`the wheels do not hold ${missing.join(', ')}`);
fs.rmSync(path.join(folder, 'nvidia'), { recursive: true, force: true });
fs.renameSync(path.join(next, 'nvidia'), path.join(folder, 'nvidia'));
fs.rmSync(next, { recursive: true, force: true });
fs.rmSync(downloads, { recursive: true, force: true });
console.log('cuda:sdk: done. Now: npm run build:native');

/** The major version of the installed toolkit, else the newest we know. */
function cudaMajor() {
  for (const home of [process.env.CUDA_HOME, process.env.CUDA_PATH, '/usr/local/cuda', '']) {
    if (home === undefined) continue;
    const nvcc = spawnSync(home ? path.join(home, 'bin/nvcc') : 'nvcc', ['--version'], { encoding: 'utf8' });
    const release = /release (\d+)\./.exec(nvcc.stdout ?? '')?.[1];
    if (release !== undefined) return release;
  }
  return '13';
}

/** Unpacks the folder nvidia/ of a wheel, by Python, which is there with pip: sizes, checksums and paths are checked. */
function unpack(file, into) {
  const program = [
    'import sys, zipfile',
    'archive = zipfile.ZipFile(sys.argv[1])',
    'members = [m for m in archive.infolist() if m.filename.startswith("nvidia/")]',
    'assert sum(m.file_size for m in members) <= int(sys.argv[3]), "larger than expected"',
    'archive.extractall(sys.argv[2], members)',
  ].join('\n');
  const result = spawnSync('python3', ['-c', program, file, into, String(MOST_BYTES)], { encoding: 'utf8' });
  if (result.status !== 0) throw new Error(result.stderr.trim().split('\n').at(-1));
}
