// Owns the current user's root store of Windows, seen from a Linux in WSL: Edge and Chrome of the Windows side use it.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ProxyAddress } from '../../routing/urls.js'
import { fingerprintOf, moatRootIn } from '../roots.js'
import { ask, command, findProgram } from './commands.js'
import { probeWithCurl } from './probe-curl.js'
import type { Step, StoreChange, StoreContext, StoredRoot, TrustStore } from './store.js'

/** The store, when this Linux runs in WSL and can start programs of Windows. */
export async function windowsStore(context: StoreContext): Promise<TrustStore | undefined> {
  const release = join(context.systemRoot, '/proc/sys/kernel/osrelease')
  const kernel = await readFile(release, 'utf8').catch(() => '')
  if (!/microsoft/i.test(kernel)) return undefined
  const certutil = await findProgram(['certutil.exe'], context)
  return certutil ? new WindowsStore(certutil, context) : undefined
}

/** Each in base64 on a line of its own. */
const listRoots =
  "Get-ChildItem Cert:\\CurrentUser\\Root | Where-Object Subject -match 'CN=Moat (egress )?CA(,|$)' | ForEach-Object { [Convert]::ToBase64String($_.RawData) }"

class WindowsStore implements TrustStore {
  readonly id = 'windows'
  readonly name = 'Windows user store'
  readonly #certutil: string
  readonly #context: StoreContext

  constructor(certutil: string, context: StoreContext) {
    this.#certutil = certutil
    this.#context = context
  }

  async roots(): Promise<StoredRoot[]> {
    const { stdout } = await ask(['powershell.exe', '-NoProfile', '-NonInteractive', '-Command', listRoots])
    return rootsInList(stdout)
  }

  async change({ add, remove }: StoreChange): Promise<Step[]> {
    const steps = remove.map(({ label }) => command([this.#certutil, '-user', '-delstore', 'Root', label]))
    if (!add) return steps
    const { stdout } = await ask(['wslpath', '-w', add.file])
    return [...steps, command([this.#certutil, '-user', '-addstore', 'Root', stdout.trim()])]
  }

  /** The curl that Windows has uses this store. */
  probe(address: ProxyAddress) {
    return probeWithCurl('curl.exe', address, this.#context)
  }
}

/** The moat roots in that list. */
export function rootsInList(text: string): StoredRoot[] {
  return text.split(/\s+/).flatMap((line) => {
    const certificate = line ? moatRootIn(Buffer.from(line, 'base64')) : undefined
    if (!certificate) return []
    return [{ fingerprint: fingerprintOf(certificate), label: certificate.fingerprint.replaceAll(':', '') }]
  })
}
