// A machine with trust stores of its own, on which moat may change what it likes: Debian's system store and the databases
// of a Chromium and a Firefox, all copies in the sandbox. The machine's own stores are never touched.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { accessSync, cpSync, existsSync, lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { Sandbox } from './sandbox.js'

const system = '/etc/ssl/certs'

export class TrustMachine {
  readonly chromium: string
  readonly firefox: string
  readonly sandbox: Sandbox
  readonly userHome: string
  readonly #stores: string

  constructor() {
    for (const [program, remedy] of [
      ['certutil', 'libnss3-tools'],
      ['chromium', 'chromium'],
      ['curl', 'curl'],
      ['unshare', 'util-linux'],
      ['update-ca-certificates', 'ca-certificates'],
    ] as const) {
      requireProgram(program, `apt-get install -y ${remedy}`)
    }
    const outside = new Sandbox()
    this.#stores = outside.directory('stores')
    cpSync(system, join(this.#stores, 'certs'), { recursive: true, verbatimSymlinks: true })
    cpSync('/usr/local/share/ca-certificates', join(this.#stores, 'anchors'), { recursive: true })
    outside.directory('stores/hooks')
    outside.directory('stores', { 'ca-certificates.conf': fewRoots() })
    const inside = ['unshare', ...namespace, 'sh', resolve('test/helpers/own-stores.sh'), this.#stores]
    this.sandbox = new Sandbox([...inside, process.execPath, resolve('bin/run.js')])
    this.userHome = this.sandbox.directory('user')
    this.sandbox.env.HOME = this.userHome
    this.chromium = this.makeDatabase('.pki/nssdb')
    this.firefox = this.makeDatabase('.mozilla/firefox/a1b2.default')
    // Whatever state the copies are in: this is what the machine's own command makes of them.
    execFileSync('unshare', [...inside.slice(1), 'update-ca-certificates', '--fresh'], { stdio: 'pipe' })
    this.#outside = outside
  }

  readonly #outside: Sandbox

  makeDatabase(path: string): string {
    const directory = this.sandbox.directory(join('user', path))
    execFileSync('certutil', ['-N', '-d', `sql:${directory}`, '--empty-password'], { stdio: 'pipe' })
    return directory
  }

  /** Every file and link of the stores, with what is in it. */
  contents(): Record<string, string> {
    const contents: Record<string, string> = {}
    for (const directory of [this.#stores, this.chromium, this.firefox]) {
      for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) {
        const path = join(entry.parentPath, entry.name)
        const { mode } = lstatSync(path)
        const what = entry.isSymbolicLink()
          ? readlinkSync(path)
          : entry.isFile()
            ? createHash('sha256').update(readFileSync(path)).digest('hex')
            : 'directory'
        contents[path] = `${(mode & 0o7777).toString(8)} ${what}`
      }
    }
    return contents
  }

  anchors(): string[] {
    return readdirSync(join(this.#stores, 'anchors')).toSorted()
  }

  async cleanUp(): Promise<void> {
    await this.sandbox.cleanUp()
    await this.#outside.cleanUp()
  }
}

/** Of the roots that the machine's system store has a few: what is to be seen is the same, and its command reads each of them each time. */
function fewRoots(): string {
  const file = '/etc/ca-certificates.conf'
  const roots = existsSync(file) ? readFileSync(file, 'utf8').split('\n') : []
  const few = roots.filter((line) => /^[^#!]/.test(line)).slice(0, 5)
  return `${few.join('\n')}\n`
}

/** Without root, a namespace in which one is root. */
const namespace = process.getuid?.() === 0 ? ['-m'] : ['-r', '-m']

/** The path of a program; fails with what to install when there is none. */
export function requireProgram(name: string, remedy: string): string {
  for (const directory of [...(process.env.PATH ?? '').split(':'), '/usr/sbin', '/sbin']) {
    try {
      accessSync(join(directory, name))
      return join(directory, name)
    } catch {
      // Elsewhere, perhaps.
    }
  }
  throw new Error(`This test needs ${name}, which is not installed: ${remedy}`)
}
