import type { Dispatcher } from 'undici';

// Node's own fetch looks at no proxy variables; undici's does when it is given the agent for them. It is loaded only
// where a proxy is set.

const NAMES = ['HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY', 'http_proxy'] as const;
const ALL = [...NAMES, 'NO_PROXY', 'no_proxy'] as const;

/** The first proxy variable that is set, for messages. */
export function proxyVariable(): string | undefined {
  return NAMES.find((name) => process.env[name]);
}

let agent: { readonly settings: string; readonly dispatcher: Dispatcher } | undefined;

/**
 * `fetch` through the proxy that HTTP_PROXY and HTTPS_PROXY name, unless NO_PROXY excepts the host; these variables in
 * lower case too.
 *
 * @throws what `fetch` throws
 */
export async function fetchByProxy(url: URL, init: RequestInit): Promise<Response> {
  if (proxyVariable() === undefined) return await fetch(url, init);
  const undici = await import('undici');
  const settings = JSON.stringify(ALL.map((name) => process.env[name]));
  if (agent?.settings !== settings) agent = { settings, dispatcher: new undici.EnvHttpProxyAgent() };
  const { headers, signal } = init;
  const response = await undici.fetch(url, {
    headers: headers as Record<string, string>,
    signal: signal ?? null,
    dispatcher: agent.dispatcher,
  });
  // The same interface, declared twice: by undici and by Node, which contains an older one.
  return response;
}
