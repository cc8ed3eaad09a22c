// Owns asking curl whether the system's store vouches for the running proxy.
import { defaultDomain, type ProxyAddress } from '../../routing/urls.js'
import { ask, findProgram } from './commands.js'
import type { StoreContext, Verdict } from './store.js'

/** These replace the system's store, which is what is to be tried. */
const overrides = ['CURL_CA_BUNDLE', 'SSL_CERT_DIR', 'SSL_CERT_FILE']

/** curl's exit codes for a certificate that is not trusted. */
const distrust = new Set([51, 60])

export async function probeWithCurl(
  program: string,
  { domain, port }: ProxyAddress,
  context: StoreContext,
): Promise<Verdict> {
  const curl = await findProgram([program], context)
  if (!curl) return { reason: `${program} is not installed`, trusted: undefined }
  const clean = Object.fromEntries(Object.entries(context.env).filter(([name]) => !overrides.includes(name)))
  const args = ['-q', '--silent', '--show-error', '--noproxy', '*', '--max-time', '10']
  // Whether names are found is not the question here.
  const resolve = domain === defaultDomain ? [] : ['--resolve', `${domain}:${port}:127.0.0.1`]
  const { code, stderr } = await ask([curl, ...args, ...resolve, '--head', `https://${domain}:${port}/`], {
    env: clean,
  })
  if (code === 0) return { client: program, trusted: true }
  const reason = stderr.trim().split('\n')[0] ?? `exit code ${code}`
  return { client: program, reason, trusted: distrust.has(code) ? false : undefined }
}
