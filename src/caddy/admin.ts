// Owns talking to Caddy's admin API over its unix socket.
import got, { type Got, HTTPError } from 'got'
import type { CaddyConfig } from './to-caddy-config.js'

/** Caddy applies a config before it answers; five thousand routes take 50 ms. Milliseconds. */
const timeout = 10_000

/** How long a Caddy may be silent that is only asked whether it is there. One whose admin API has died is silent for ever. Milliseconds. */
const pingTimeout = 2_500

/** Caddy refused a request or did not answer; the message is its own. */
export class CaddyAdminError extends Error {
  override readonly name = 'CaddyAdminError'

  /** True when Caddy said no; false when it said nothing. */
  get isRefusal(): boolean {
    return this.cause instanceof HTTPError
  }
}

export class CaddyAdmin {
  readonly #got: Got

  constructor(socketPath: string) {
    this.#got = got.extend({
      // Each config change makes Caddy close its admin connections: a kept one may be gone when the next change is sent.
      agent: { http: false },
      enableUnixSockets: true,
      // The path is part of a URL, in which `:`, `#` and `%` mean something else.
      prefixUrl: `unix:${socketPath.split('/').map(encodeURIComponent).join('/')}:`,
      retry: { limit: 0 },
      timeout: { request: timeout },
    })
  }

  /** The config Caddy serves. */
  async readConfig(): Promise<CaddyConfig> {
    return ask(() => this.#got('config/').json<CaddyConfig>())
  }

  /** False when Caddy, or its admin API alone, is dead. */
  async answers(): Promise<boolean> {
    return this.#got('config/admin/listen', { timeout: { request: pingTimeout } }).then(
      () => true,
      (error) => error instanceof HTTPError,
    )
  }

  /** Replaces what stands at a path of the config; an empty path replaces it whole. */
  async replace(path: readonly string[], value: unknown): Promise<void> {
    const url = path.length === 0 ? 'load' : `config/${path.map(encodeURIComponent).join('/')}`
    await ask(() => (path.length === 0 ? this.#got.post(url, { json: value }) : this.#got.patch(url, { json: value })))
  }

  /** Has Caddy listen anew, with the config that it has: one that does not differ is otherwise not looked at. */
  async reload(config: CaddyConfig): Promise<void> {
    await ask(() => this.#got.post('load', { headers: { 'Cache-Control': 'must-revalidate' }, json: config }))
  }

  /** What Caddy has counted, in Prometheus' text form. */
  async readMetrics(): Promise<string> {
    return ask(() => this.#got('metrics').text())
  }

  /** Asks Caddy to end; it answers before it does. */
  async stop(): Promise<void> {
    await ask(() => this.#got.post('stop', { timeout: { request: pingTimeout } }))
  }
}

async function ask<T>(request: () => Promise<T>): Promise<T> {
  try {
    return await request()
  } catch (error) {
    throw new CaddyAdminError(reasonOf(error), { cause: error })
  }
}

/** Why a request failed. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof HTTPError)) return error instanceof Error ? error.message : String(error)
  const body = String(error.response.body)
  try {
    return (JSON.parse(body) as { error?: string }).error ?? body
  } catch {
    return body || error.message
  }
}
