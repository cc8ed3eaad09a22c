// Owns the system keychain of macOS, which Safari, Chrome and curl use.
import type { ProxyAddress } from '../../routing/urls.js'
import { commonName, egressName } from '../create-root.js'
import { fingerprintOf, moatRootIn } from '../roots.js'
import { ask, command } from './commands.js'
import type { Step, StoreChange, StoredRoot, TrustStore, Verdict } from './store.js'

const keychain = '/Library/Keychains/System.keychain'
const pemBlock = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g

export const keychainStore: TrustStore = {
  id: 'keychain',
  name: 'system keychain (macOS)',

  async roots(): Promise<StoredRoot[]> {
    const found = [commonName, egressName].map((name) => ['find-certificate', '-a', '-c', name, '-p', keychain])
    const texts = await Promise.all(found.map((argv) => ask(['security', ...argv])))
    return rootsInKeychain(texts.map(({ stdout }) => stdout).join('\n'))
  },

  async change({ add, remove }: StoreChange): Promise<Step[]> {
    return [
      // -t: its trust settings too.
      ...remove.map(({ label }) => command(['security', 'delete-certificate', '-Z', label, '-t', keychain], root)),
      ...(add
        ? [command(['security', 'add-trusted-cert', '-d', '-r', 'trustRoot', '-k', keychain, add.file], root)]
        : []),
    ]
  },

  /** nscurl asks as applications do; the system's curl may have a bundle of its own. */
  async probe({ domain, port }: ProxyAddress): Promise<Verdict> {
    const { code, stderr, stdout } = await ask(['nscurl', '--head', `https://${domain}:${port}/`])
    const said = `${stdout}${stderr}`
    if (/certificate/i.test(said)) return { client: 'nscurl', reason: said.trim().split('\n')[0] ?? '', trusted: false }
    if (code === 0) return { client: 'nscurl', trusted: true }
    return { client: 'nscurl', reason: said.trim().split('\n')[0] ?? '', trusted: undefined }
  },
}

const root = { root: true }

/** The moat roots among the certificates that `security find-certificate -p` printed. */
export function rootsInKeychain(text: string): StoredRoot[] {
  return [...text.matchAll(pemBlock)].flatMap(([pem]) => {
    const certificate = moatRootIn(pem)
    if (!certificate) return []
    return [{ fingerprint: fingerprintOf(certificate), label: certificate.fingerprint.replaceAll(':', '') }]
  })
}
