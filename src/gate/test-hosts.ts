// Owns hosts that exist in tests only: names below `.test`, which nobody can have (RFC 6761), and where they lead.
import { isIP } from 'node:net'

/** The variable that says them: `api.test:443=127.0.0.1:40123,evil.test=127.0.0.1`. */
export const testHostsVariable = 'MOAT_TEST_HOSTS'

export interface TestHosts {
  /** Where a server stands in for a port of a host, unjudged. */
  reach(host: string, port: number): { address: string; port: number } | undefined
  /** What a name server would answer. */
  resolve(host: string): string[] | undefined
}

/** Undefined when there are none. What is not below `.test` is ignored. */
export function parseTestHosts(text: string | undefined): TestHosts | undefined {
  if (!text) return undefined
  const servers = new Map<string, { address: string; port: number }>()
  const answers = new Map<string, string[]>()
  for (const [name = '', value = ''] of text.split(',').map((pair) => pair.split('='))) {
    const [host = '', port] = name.split(':')
    if (!host.endsWith('.test')) continue
    const [, address, to] = /^(127\.\d+\.\d+\.\d+):(\d+)$/.exec(value) ?? []
    if (port !== undefined && address !== undefined) servers.set(`${host}:${port}`, { address, port: Number(to) })
    else if (port === undefined && isIP(value)) answers.set(host, [...(answers.get(host) ?? []), value])
  }
  return { reach: (host, port) => servers.get(`${host}:${port}`), resolve: (host) => answers.get(host) }
}
