// Owns asking browsers, or the TLS library of Firefox, whether their store vouches for the running proxy.
import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { defaultDomain, type ProxyAddress } from '../../routing/urls.js'
import { ask, findProgram } from './commands.js'
import type { StoreContext, Verdict } from './store.js'

/**
 * Chromium gives up what it loads when a container comes or goes, which changes the machine's network, and has seen nothing of
 * the certificate then. So often it is asked anew.
 */
const mostLoads = 4

/** A real Chromium without a window loads the page of the proxy, in a profile of its own. */
export async function probeWithChromium(
  chromium: string,
  { domain, port }: ProxyAddress,
  context: StoreContext,
): Promise<Verdict> {
  const profile = await mkdtemp(join(tmpdir(), 'moat-chromium-'))
  try {
    // Chromium's sandbox does not run as root.
    const root = process.geteuid?.() === 0 ? ['--no-sandbox'] : []
    const quiet = ['--headless', '--disable-gpu', '--no-first-run', '--no-proxy-server', '--enable-logging=stderr']
    // Whether names are found is not the question here.
    const resolve = domain === defaultDomain ? [] : [`--host-resolver-rules=MAP ${domain} 127.0.0.1`]
    const page = ['--dump-dom', `https://${domain}:${port}/`]
    const env = await ownHome(join(profile, 'home'), context)
    const argv = [chromium, ...root, ...quiet, ...resolve, `--user-data-dir=${profile}`, ...page]
    for (let loads = 1; ; loads += 1) {
      const { stderr, stdout } = await ask(argv, { env })
      const verdict = verdictOfChromium(stdout, stderr)
      if (verdict.reason !== 'ERR_NETWORK_CHANGED' || loads === mostLoads) return verdict
    }
  } finally {
    await rm(profile, { force: true, maxRetries: 5, recursive: true })
  }
}

/** The environment of a home that has the user's databases and nothing else: whatever is written there goes with it. */
async function ownHome(home: string, { env, userHome }: StoreContext): Promise<NodeJS.ProcessEnv> {
  const { XDG_CACHE_HOME: _cache, XDG_CONFIG_HOME: _config, XDG_DATA_HOME: data, ...others } = env
  await mkdir(home)
  const databases = [
    [join(userHome, '.pki/nssdb'), '.pki/nssdb'],
    [join(data || join(userHome, '.local/share'), 'pki/nssdb'), '.local/share/pki/nssdb'],
  ] as const
  // Who has none has nothing in it, and Chromium makes one.
  for (const [from, to] of databases) await cp(from, join(home, to), { recursive: true }).catch(() => {})
  return { ...others, HOME: home }
}

/** What Chromium's output says. It exits with 0 whatever happens. */
export function verdictOfChromium(stdout: string, stderr: string): Verdict {
  const client = 'chromium'
  const refused = /net::(ERR_CERT_\w+|ERR_SSL_\w+)/.exec(stderr)?.[1] ?? /net_error (-2\d\d)\b/.exec(stderr)?.[1]
  if (refused) return { client, reason: refused, trusted: false }
  if (/<body[^>]*>[\s\S]*\S[\s\S]*<\/body>/.test(stdout)) return { client, trusted: true }
  const failed = /net::(ERR_\w+)/.exec(stderr)?.[1] ?? stderr.trim().split('\n').at(-1) ?? ''
  return { client, reason: failed || 'it showed nothing', trusted: undefined }
}

/**
 * vfyserv is NSS itself, as Firefox has it, with the database of a profile. It cannot be told where a name leads, and
 * shakes hands only: `localhost` has a certificate of the same root.
 */
export async function probeWithNss(database: string, { port }: ProxyAddress, context: StoreContext): Promise<Verdict> {
  const vfyserv = await findProgram(['vfyserv'], context)
  if (!vfyserv) return { reason: 'vfyserv (libnss3-tools) is not installed', trusted: undefined }
  const { stderr, stdout } = await ask([vfyserv, '-p', String(port), '-d', database, defaultDomain])
  const said = `${stdout}${stderr}`
  if (said.includes('SERVER CONFIGURED CORRECTLY')) return { client: 'vfyserv', trusted: true }
  const reason = /ERROR -\d+: (.*)/.exec(said)?.[1]
  if (reason) return { client: 'vfyserv', reason, trusted: false }
  return { client: 'vfyserv', reason: said.trim().split('\n').at(-1) ?? '', trusted: undefined }
}
