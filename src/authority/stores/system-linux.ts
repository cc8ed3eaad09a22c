// Owns the system stores of Linux distributions: a directory for a machine's own authorities, and a command that makes
// the bundles of curl, OpenSSL, Python, Go and others from it.

import { readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { ProxyAddress } from '../../routing/urls.js'
import { fingerprintOf, moatRootIn, namesIn, type Root, shortFingerprint } from '../roots.js'
import { ask, command, findProgram } from './commands.js'
import { probeWithCurl } from './probe-curl.js'
import type { Step, StoreChange, StoreContext, StoredRoot, TrustStore } from './store.js'

interface Layout {
  anchors: string
  extension: string
  name: string
  /** A bundle of Java that the update fills and does not empty again. */
  java?: string
  update: string
  /** The update when something was taken out. */
  updateAfterRemoval?: string[]
}

const layouts: readonly Layout[] = [
  {
    anchors: '/usr/local/share/ca-certificates',
    extension: 'crt',
    java: '/etc/ssl/certs/java/cacerts',
    name: 'system store (Debian, Ubuntu)',
    update: 'update-ca-certificates',
    // Without it, links to the file that is gone stay.
    updateAfterRemoval: ['--fresh'],
  },
  {
    anchors: '/etc/pki/ca-trust/source/anchors',
    extension: 'pem',
    name: 'system store (Fedora, RHEL)',
    update: 'update-ca-trust',
  },
  {
    anchors: '/etc/ca-certificates/trust-source/anchors',
    extension: 'crt',
    name: 'system store (Arch)',
    update: 'update-ca-trust',
  },
  {
    anchors: '/etc/pki/trust/anchors',
    extension: 'pem',
    name: 'system store (openSUSE)',
    update: 'update-ca-certificates',
  },
]

/** This machine's system store; undefined when its distribution is none that moat knows. */
export async function systemStore(context: StoreContext): Promise<TrustStore | undefined> {
  for (const layout of layouts) {
    const anchors = join(context.systemRoot, layout.anchors)
    const update = await findProgram([layout.update], context)
    if (update && (await namesIn(join(anchors, '..'))).includes(anchors.slice(anchors.lastIndexOf('/') + 1))) {
      return new LinuxSystemStore({ ...layout, anchors }, context)
    }
  }
  return undefined
}

class LinuxSystemStore implements TrustStore {
  readonly id = 'system'
  readonly #context: StoreContext
  readonly #layout: Layout

  constructor(layout: Layout, context: StoreContext) {
    this.#context = context
    this.#layout = layout
  }

  get name(): string {
    return this.#layout.name
  }

  async roots(): Promise<StoredRoot[]> {
    const { anchors } = this.#layout
    const found: StoredRoot[] = []
    for (const file of await namesIn(anchors)) {
      // A directory, or a file for root's eyes only, is nothing moat put there.
      const pem = await readFile(join(anchors, file)).catch(() => '')
      const certificate = moatRootIn(pem)
      if (certificate) found.push({ fingerprint: fingerprintOf(certificate), label: join(anchors, file) })
    }
    return found
  }

  async change({ add, remove }: StoreChange): Promise<Step[]> {
    const { update, updateAfterRemoval = [] } = this.#layout
    const removed = remove.length > 0
    return [
      ...(removed ? [command(['rm', ...remove.map(({ label }) => label)], { root: true })] : []),
      ...(await this.#forgetInJava(remove)),
      // Not cp: root's umask would decide who may read it.
      ...(add ? [command(['install', '-m', '644', add.file, this.#target(add)], { root: true })] : []),
      command([update, ...(removed ? updateAfterRemoval : [])], { root: true }),
    ]
  }

  async #forgetInJava(remove: readonly StoredRoot[]): Promise<Step[]> {
    const store = this.#layout.java && join(this.#context.systemRoot, this.#layout.java)
    const keytool = await findProgram(['keytool'], this.#context)
    if (!store || !keytool) return []
    const steps: Step[] = []
    for (const { label } of remove) {
      const entry = ['-alias', `debian:${basename(label, '.crt')}.pem`, '-keystore', store, '-storepass', 'changeit']
      const known = await ask([keytool, '-list', ...entry])
      if (known.code === 0) steps.push(command([keytool, '-delete', ...entry], { root: true }))
    }
    return steps
  }

  probe(address: ProxyAddress) {
    return probeWithCurl('curl', address, this.#context)
  }

  /** Two users of one machine have two roots. */
  #target({ fingerprint }: Root): string {
    const { anchors, extension } = this.#layout
    return join(anchors, `moat-${shortFingerprint(fingerprint)}.${extension}`)
  }
}
