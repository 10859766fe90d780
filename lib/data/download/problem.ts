import type { FoveaErrorCode } from '../../errors.js';
import { proxyVariable } from './proxy.js';

/** Why one attempt of a download failed, and whether another may succeed. */
export class DownloadProblem extends Error {
  /**
   * @param message - the reason, to stand after "download of URL failed: "
   * @param code - the code of the final error
   * @param retry - whether to try again
   * @param afterMs - how long the server asked to wait
   */
  constructor(
    message: string,
    readonly code: FoveaErrorCode,
    readonly retry: boolean,
    options: { readonly cause?: unknown; readonly afterMs?: number | undefined } = {},
  ) {
    super(message, { cause: options.cause });
    this.afterMs = options.afterMs;
  }

  readonly afterMs: number | undefined;
}

/** The system's code behind an error of fetch, which hides it in a chain of causes. */
function codeOf(error: unknown): string | undefined {
  for (let at: unknown = error, depth = 0; at instanceof Error && depth < 8; at = at.cause, depth++) {
    const { code } = at as NodeJS.ErrnoException;
    if (typeof code === 'string') return code;
    if (at instanceof AggregateError && at.errors.length > 0) return codeOf(at.errors[0]);
  }
  return undefined;
}

function deepest(error: unknown): string {
  let at = error;
  while (at instanceof Error && at.cause instanceof Error) at = at.cause;
  return at instanceof Error ? at.message : String(at);
}

/** A proxy is the first suspect when a connection fails. */
function proxyHint(): string {
  const name = proxyVariable();
  return name === undefined ? '' : ` (through the proxy of ${name}; NO_PROXY lists hosts that need none)`;
}

/** Says in words what fetch could not do. */
export function networkProblem(url: URL, error: unknown): DownloadProblem {
  const code = codeOf(error);
  const problem = (reason: string, retry: boolean): DownloadProblem =>
    new DownloadProblem(reason + proxyHint(), 'ERR_NETWORK', retry, { cause: error });
  switch (code) {
    case 'ENOTFOUND':
      return problem(`the name ${url.hostname} cannot be resolved (ENOTFOUND) (is this machine offline?)`, false);
    case 'EAI_AGAIN':
      return problem(`the name ${url.hostname} cannot be resolved (EAI_AGAIN) (is this machine offline?)`, true);
    case 'ENETUNREACH':
    case 'EHOSTUNREACH':
    case 'ENETDOWN':
      return problem(`${url.host} cannot be reached (${code}) (is this machine offline?)`, true);
    case 'ECONNREFUSED':
      return problem(`${url.host} refuses connections (ECONNREFUSED)`, true);
    case undefined:
      return problem(`the connection failed (${deepest(error)})`, true);
    default: {
      const untrusted = /CERT|SELF_SIGNED|UNABLE_TO_(GET|VERIFY)|ERR_TLS/.test(code);
      return problem(`the connection failed (${code}: ${deepest(error)})`, !untrusted);
    }
  }
}

/** How long a `Retry-After` header asks to wait, at most a minute. */
function retryAfter(response: Response): number | undefined {
  const header = response.headers.get('retry-after');
  if (!header) return undefined;
  const seconds = /^\d+$/.test(header) ? Number(header) : (Date.parse(header) - Date.now()) / 1000;
  return Number.isFinite(seconds) ? Math.min(60_000, Math.max(0, seconds * 1000)) : undefined;
}

/** What an answer other than success means. */
export function statusProblem(response: Response): DownloadProblem {
  const { status, statusText } = response;
  const answer = `the server answered ${status}${statusText && ` ${statusText}`}`;
  if (status === 404 || status === 410) return new DownloadProblem(answer, 'ERR_NOT_FOUND', false);
  const retry = status === 408 || status === 425 || status === 429 || status >= 500;
  return new DownloadProblem(answer, 'ERR_NETWORK', retry, { afterMs: retryAfter(response) });
}
