// Owns starting Caddy as a process that outlives its supervisor, and knowing when it serves.
import { spawn } from 'node:child_process'
import { closeSync, mkdirSync, readFileSync, statSync } from 'node:fs'
import { clearPath } from '../config/clear-path.js'
import { asRoot } from '../config/invoking-user.js'
import { openLog } from '../config/open-log.js'
import type { MoatPaths } from '../config/paths.js'
import { shellQuote } from '../config/shell-quote.js'
import { MoatError } from '../errors.js'
import { type ProcessIdentity, readProcess } from '../processes/process-facts.js'
import { CaddyAdmin } from './admin.js'
import { caddyArguments } from './caddy-arguments.js'
import { removeEarlyCertificates } from './early-certificates.js'
import { lastWords } from './last-words.js'
import type { CaddyConfig } from './to-caddy-config.js'

/** Start to first answer is 50 ms on an idle machine. Milliseconds. */
const startDeadline = 10_000
const checkInterval = 10

export interface SpawnCaddyOptions {
  binary: string
  config: CaddyConfig
  env: NodeJS.ProcessEnv
  /** Listening sockets; Caddy has them as fd/3, fd/4, … */
  listeningFds: readonly number[]
  /** Called once Caddy has inherited the sockets: from then on the caller's copies only steal connections. */
  onInherited: () => void
  paths: Pick<MoatPaths, 'adminSocket' | 'caddyLog' | 'caddyPid' | 'caddyStorage'>
}

export interface SpawnedCaddy {
  exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>
  identity: ProcessIdentity
}

/** Resolves when Caddy serves its config. Rejects with CADDY_FAILED and Caddy's own words when it ends first. */
export async function spawnCaddy(options: SpawnCaddyOptions): Promise<SpawnedCaddy> {
  const { binary, config, env, listeningFds, paths } = options
  await clearPath(paths.adminSocket)
  mkdirSync(paths.caddyStorage, { mode: 0o700, recursive: true })
  removeEarlyCertificates(paths.caddyStorage)
  const log = openLog(paths.caddyLog)
  const logStart = statSync(paths.caddyLog).size
  const user = { gid: process.getegid?.(), uid: process.geteuid?.() }
  const child = await asRoot(() =>
    spawn(binary, caddyArguments(paths), {
      cwd: paths.caddyStorage,
      // A process group of its own: what ends the supervisor does not end Caddy.
      detached: true,
      env: caddyEnvironment(env, paths.caddyStorage),
      stdio: ['pipe', log, log, ...listeningFds],
      ...(process.getuid?.() === 0 && user.uid !== 0 && { gid: user.gid, uid: user.uid }),
    }),
  )
  closeSync(log)
  options.onInherited()
  const exited = new Promise<{ code: number | null; error?: Error; signal: NodeJS.Signals | null }>((resolve) => {
    child.once('error', (error) => resolve({ code: null, error, signal: null }))
    child.once('exit', (code, signal) => resolve({ code, signal }))
  })
  // A Caddy that ends at once closes its end; the exit says more than the broken pipe.
  child.stdin?.on('error', () => {})
  child.stdin?.end(JSON.stringify(config))
  child.unref()
  const asking = new AbortController()
  const ended = await Promise.race([exited, serving(paths.adminSocket, asking.signal)])
  // Else the questions to a Caddy that has ended would keep this process alive until the deadline.
  asking.abort()
  const identity = ended === 'serving' && child.pid !== undefined ? await readProcess(child.pid) : undefined
  if (identity) return { exited, identity }
  child.kill('SIGKILL')
  const reason = ended === 'late' ? `did not answer within ${startDeadline / 1000} s` : 'ended at once'
  const said =
    ended instanceof Object && 'error' in ended
      ? ended.error?.message
      : lastWords(readFileSync(paths.caddyLog).subarray(logStart).toString())
  throw new MoatError('CADDY_FAILED', `Caddy ${reason}${said ? `: ${said}` : ''}.`, {
    suggestions: [`tail ${shellQuote(paths.caddyLog)}`],
  })
}

async function serving(adminSocket: string, signal: AbortSignal): Promise<'late' | 'serving'> {
  const admin = new CaddyAdmin(adminSocket)
  const end = performance.now() + startDeadline
  while (!signal.aborted && performance.now() < end) {
    // The admin API answers a moment before the config is in place; until then its config is null.
    const config = await admin.readConfig().catch(() => null)
    if (config) return 'serving'
    await new Promise((resolve) => setTimeout(resolve, checkInterval))
  }
  return 'late'
}

/** Only what Caddy needs, its home inside moat's directory, and what makes it fast. */
function caddyEnvironment(env: NodeJS.ProcessEnv, storage: string): NodeJS.ProcessEnv {
  return {
    // WebSockets over HTTP/2, which browsers use.
    GODEBUG: 'http2xconnect=1',
    GOGC: '400',
    GOMEMLIMIT: '256MiB',
    HOME: storage,
    PATH: env.PATH,
    // What its user trusts for hosts elsewhere: a company's authority, say. Unset, the system's store.
    ...(env.SSL_CERT_DIR && { SSL_CERT_DIR: env.SSL_CERT_DIR }),
    ...(env.SSL_CERT_FILE && { SSL_CERT_FILE: env.SSL_CERT_FILE }),
    XDG_CONFIG_HOME: storage,
    XDG_DATA_HOME: storage,
  }
}
