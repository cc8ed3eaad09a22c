// Owns NSS databases: the one Chromium has on Linux, and one in each profile of Firefox. certutil changes them.

import { access, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { displayPath } from '../../config/paths.js'
import { MoatError } from '../../errors.js'
import type { ProxyAddress } from '../../routing/urls.js'
import { fingerprintOf, moatRootIn, type Root, shortFingerprint } from '../roots.js'
import { ask, command, findProgram } from './commands.js'
import { NssMemory } from './nss-memory.js'
import { probeWithChromium, probeWithNss } from './probe-browser.js'
import type { Step, StoreChange, StoreContext, StoredRoot, TrustStore, Verdict } from './store.js'

const chromiums = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'brave-browser']

/** Where Firefox keeps profiles: plain, of snap, of flatpak, and on macOS. */
const firefoxHomes = [
  '.mozilla/firefox',
  'snap/firefox/common/.mozilla/firefox',
  '.var/app/org.mozilla.firefox/.mozilla/firefox',
  'Library/Application Support/Firefox/Profiles',
]

/** The databases of this user. */
export async function nssStores(context: StoreContext): Promise<TrustStore[]> {
  const { env, platform, userHome } = context
  const stores: TrustStore[] = []
  const chromium = platform === 'linux' ? await findProgram(chromiums, context) : undefined
  const shared = join(userHome, '.pki/nssdb')
  const others = [join(env.XDG_DATA_HOME || join(userHome, '.local/share'), 'pki/nssdb')]
  others.push(join(userHome, 'snap/chromium/current/.pki/nssdb'))
  if (platform === 'linux') {
    for (const directory of [shared, ...others]) {
      // Chromium reads the first even if it has yet to be made.
      const wanted = directory === shared && chromium !== undefined && !(await anyDatabase(others))
      if (wanted || (await isDatabase(directory))) stores.push(new NssStore('Chromium', directory, context, chromium))
    }
  }
  for (const home of firefoxHomes) {
    for (const profile of await directoriesIn(join(userHome, home))) {
      if (await isDatabase(profile)) stores.push(new NssStore('Firefox', profile, context))
    }
  }
  return stores
}

async function anyDatabase(directories: readonly string[]): Promise<boolean> {
  return (await Promise.all(directories.map(isDatabase))).includes(true)
}

function isDatabase(directory: string): Promise<boolean> {
  return access(join(directory, 'cert9.db')).then(
    () => true,
    () => false,
  )
}

async function directoriesIn(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { withFileTypes: true }).catch(() => [])
  return entries.flatMap((entry) => (entry.isDirectory() ? join(directory, entry.name) : [])).toSorted()
}

class NssStore implements TrustStore {
  readonly id: string
  readonly name: string
  readonly #chromium: string | undefined
  readonly #context: StoreContext
  readonly #directory: string
  readonly #memory: NssMemory

  constructor(browser: string, directory: string, context: StoreContext, chromium?: string) {
    this.id = `nss:${directory}`
    this.name = `${browser} (${displayPath(directory, context.userHome)})`
    this.#chromium = chromium
    this.#context = context
    this.#directory = directory
    this.#memory = new NssMemory(directory, context.memory)
  }

  async roots(): Promise<StoredRoot[]> {
    if (!(await isDatabase(this.#directory))) return []
    const certutil = await this.#certutil()
    const { stdout } = await ask([certutil, '-L', '-d', this.#database])
    const found: StoredRoot[] = []
    for (const nickname of nicknames(stdout)) {
      const { stdout: pem } = await ask([certutil, '-L', '-d', this.#database, '-n', nickname, '-a'])
      const certificate = moatRootIn(pem)
      if (certificate) found.push({ fingerprint: fingerprintOf(certificate), label: nickname })
    }
    return found
  }

  async change({ add, remove }: StoreChange): Promise<Step[]> {
    const certutil = await this.#certutil()
    const restore = await this.#memory.restoreStep(remove.map(({ fingerprint }) => fingerprint))
    const steps = restore
      ? [restore]
      : remove.map(({ label }) => command([certutil, '-D', '-d', this.#database, '-n', label]))
    if (!add) return [...steps.slice(0, -1), ...steps.slice(-1).map((last) => this.#thenForget(last))]
    const remember = await this.#memory.rememberStep({ known: restore !== undefined })
    if (remember) steps.push(remember)
    const willExist = (await isDatabase(this.#directory)) && !(restore && this.#memory.wasAbsent)
    if (!willExist) {
      steps.push(command(['mkdir', '-m', '700', '-p', this.#directory]))
      steps.push(command([certutil, '-N', '-d', this.#database, '--empty-password']))
    }
    return [...steps, this.#addStep(certutil, add)]
  }

  async probe(address: ProxyAddress): Promise<Verdict> {
    if (this.#chromium) return probeWithChromium(this.#chromium, address, this.#context)
    return probeWithNss(this.#database, address, this.#context)
  }

  #addStep(certutil: string, { file, fingerprint }: Root): Step {
    const nickname = `Moat CA ${shortFingerprint(fingerprint)}`
    // C: may vouch for servers, and for nothing else.
    const add = command([certutil, '-A', '-d', this.#database, '-t', 'C,,', '-n', nickname, '-i', file])
    return {
      run: async () => {
        await add.run()
        await this.#memory.seal(fingerprint)
      },
      text: add.text,
    }
  }

  #thenForget(step: Step): Step {
    const run = async () => {
      await step.run()
      await this.#memory.forget()
    }
    return { ...step, run }
  }

  get #database(): string {
    return `sql:${this.#directory}`
  }

  async #certutil(): Promise<string> {
    const certutil = await findProgram(['certutil'], this.#context)
    if (certutil) return certutil
    throw new MoatError('TRUST_FAILED', `certutil is needed to change ${this.name}, and is not installed.`, {
      suggestions:
        this.#context.platform === 'darwin'
          ? ['brew install nss']
          : ['sudo apt-get install libnss3-tools   # Fedora: nss-tools, Arch: nss, openSUSE: mozilla-nss-tools'],
    })
  }
}

/** The nicknames in what `certutil -L` prints: everything before the trust flags, which hold two commas. */
export function nicknames(list: string): string[] {
  return list.split('\n').flatMap((line) => /^(\S.*?)\s+[a-zA-Z]*,[a-zA-Z]*,[a-zA-Z]*\s*$/.exec(line)?.[1] ?? [])
}
