import { readFile } from 'node:fs/promises';
import { arch, cpus, hostname, platform, release, totalmem } from 'node:os';
import { currentDevice, devices } from '../index.js';

/** What package.json says. */
export interface PackageInfo {
  readonly name: string;
  readonly version: string;
  readonly engines?: Readonly<Record<string, string>>;
}

/** This package's package.json: two folders up from lib/cli/, or three from dist/lib/cli/. */
export async function packageInfo(): Promise<PackageInfo> {
  let failure: unknown;
  for (const up of ['../../', '../../../']) {
    try {
      return JSON.parse(await readFile(new URL(`${up}package.json`, import.meta.url), 'utf8')) as PackageInfo;
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}

/** What a run was made with, for whoever repeats it. */
export interface Environment {
  readonly fovea: string;
  readonly node: string;
  readonly platform: string;
  readonly processor: string;
  readonly memoryBytes: number;
  readonly host: string;
  /** The device, its description (with the version of oneDNN) and what it can do. */
  readonly device: { readonly name: string; readonly description: string; readonly capabilities: readonly string[] };
  /** Environment variables that change results or speed. */
  readonly variables: Readonly<Record<string, string>>;
}

/** The environment of this process. */
export async function environment(): Promise<Environment> {
  const name = currentDevice();
  const { description, capabilities } = devices().present.find((device) => device.name === name)!;
  const { version } = await packageInfo();
  const variables = Object.entries(process.env).filter(([key]) => /^(FOVEA|OMP|GOMP|ONEDNN|DNNL|CUDA)_/.test(key));
  return {
    ...{ fovea: version, node: process.version, platform: `${platform()} ${release()} ${arch()}` },
    ...{ processor: cpus()[0]?.model.trim() ?? 'unknown', memoryBytes: totalmem(), host: hostname() },
    device: { name, description, capabilities },
    variables: Object.fromEntries(variables) as Record<string, string>,
  };
}
