// Stores of systems that the tests do not run on: which are found, and the commands for each.
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ensureAuthority } from '../../../src/authority/root.js'
import { moatRootIn, type Root, readRoot } from '../../../src/authority/roots.js'
import { findStores } from '../../../src/authority/stores/find-stores.js'
import { keychainStore, rootsInKeychain } from '../../../src/authority/stores/keychain.js'
import { nicknames } from '../../../src/authority/stores/nss.js'
import { probeWithChromium, verdictOfChromium } from '../../../src/authority/stores/probe-browser.js'
import type { StoreContext, TrustStore } from '../../../src/authority/stores/store.js'
import { rootsInList } from '../../../src/authority/stores/windows.js'
import { moatPaths } from '../../../src/config/paths.js'

let directory: string
let root: Root

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'moat-stores-'))
  const paths = moatPaths({ MOAT_HOME: join(directory, 'home') })
  await ensureAuthority(paths, 'localhost')
  root = await readRoot(paths.caCertificate)
})
afterEach(() => rmSync(directory, { force: true, recursive: true }))

/** A machine with these programs and directories. */
function machine(programs: Record<string, string>, directories: string[]): StoreContext {
  const bin = join(directory, 'bin')
  mkdirSync(bin, { recursive: true })
  for (const [name, script] of Object.entries(programs)) {
    writeFileSync(join(bin, name), `#!/bin/sh\n${script}\n`)
    chmodSync(join(bin, name), 0o755)
  }
  for (const path of directories) mkdirSync(join(directory, path), { recursive: true })
  return {
    env: { PATH: bin },
    memory: join(directory, 'memory'),
    platform: 'linux',
    systemRoot: directory,
    userHome: join(directory, 'user'),
  }
}

async function only(context: StoreContext): Promise<TrustStore> {
  const stores = await findStores(context)
  expect(stores).toHaveLength(1)
  return stores[0] as TrustStore
}

const sudo = process.getuid?.() === 0 ? '' : 'sudo '
const text = async (store: TrustStore, change: Parameters<TrustStore['change']>[0]) =>
  (await store.change(change)).map((step) => step.text.replaceAll(directory, ''))

describe('the system store', () => {
  it.each([
    ['Debian, Ubuntu', '/usr/local/share/ca-certificates', 'crt', 'update-ca-certificates', ' --fresh'],
    ['Fedora, RHEL', '/etc/pki/ca-trust/source/anchors', 'pem', 'update-ca-trust', ''],
    ['Arch', '/etc/ca-certificates/trust-source/anchors', 'crt', 'update-ca-trust', ''],
    ['openSUSE', '/etc/pki/trust/anchors', 'pem', 'update-ca-certificates', ''],
  ])('of %s is found and changed by its own command', async (name, anchors, extension, update, fresh) => {
    const store = await only(machine({ [update]: '' }, [anchors]))
    expect(store.name).toBe(`system store (${name})`)
    const file = `${anchors}/moat-${root.fingerprint.slice(0, 8)}.${extension}`
    expect(await text(store, { add: root, remove: [] })).toEqual([
      `${sudo}install -m 644 /home/proxy/ca/ca.crt ${file}`,
      `${sudo}${update}`,
    ])
    writeFileSync(join(directory, file), root.certificate.toString())
    writeFileSync(join(directory, anchors, 'theirs.crt'), 'no certificate')
    const [stored] = await store.roots()
    expect(stored).toEqual({ fingerprint: root.fingerprint, label: join(directory, file) })
    expect(await text(store, { remove: await store.roots() })).toEqual([
      `${sudo}rm ${file}`,
      `${sudo}${update}${fresh}`,
    ])
  })

  it('is none on a distribution that moat does not know', async () => {
    expect(await findStores(machine({}, ['/usr/local/share/ca-certificates']))).toEqual([])
    expect(await findStores(machine({ 'update-ca-trust': '' }, []))).toEqual([])
  })
})

describe('the Windows side of WSL', () => {
  it('is asked in its own words', async () => {
    const context = machine({ 'certutil.exe': '', wslpath: "echo 'C:\\ca.crt'" }, ['/proc/sys/kernel'])
    writeFileSync(join(directory, '/proc/sys/kernel/osrelease'), '6.6.87.2-microsoft-standard-WSL2\n')
    const store = await only(context)
    expect(store.id).toBe('windows')
    expect(await text(store, { remove: [{ fingerprint: 'x', label: 'A1B2' }] })).toEqual([
      'certutil.exe -user -delstore Root A1B2',
    ])
  })

  it('lists roots in base64, of which those of moat count', () => {
    const der = root.certificate.raw.toString('base64')
    expect(rootsInList(`${der}\r\nbm90aGluZw==\r\n`)).toEqual([
      { fingerprint: root.fingerprint, label: root.certificate.fingerprint.replaceAll(':', '') },
    ])
    expect(rootsInList('')).toEqual([])
  })
})

describe('the keychain of macOS', () => {
  it('is changed by security, and roots in it are known by what they are', async () => {
    const keychain = '/Library/Keychains/System.keychain'
    expect(await text(keychainStore, { add: root, remove: [] })).toEqual([
      `${sudo}security add-trusted-cert -d -r trustRoot -k ${keychain} /home/proxy/ca/ca.crt`,
    ])
    const found = rootsInKeychain(`keychain: "x"\n${root.certificate.toString()}\n`)
    expect(found).toEqual([{ fingerprint: root.fingerprint, label: root.certificate.fingerprint.replaceAll(':', '') }])
    expect(await text(keychainStore, { remove: found })).toEqual([
      `${sudo}security delete-certificate -Z ${found[0]?.label} -t ${keychain}`,
    ])
  })
})

describe('a database of Chromium or Firefox', () => {
  it('cannot be changed without certutil, and says what to install', async () => {
    const context = machine({}, ['user/.pki/nssdb'])
    writeFileSync(join(directory, 'user/.pki/nssdb/cert9.db'), '')
    const store = await only(context)
    expect(store.name).toBe('Chromium (~/.pki/nssdb)')
    await expect(store.change({ add: root, remove: [] })).rejects.toMatchObject({
      code: 'TRUST_FAILED',
      message: 'certutil is needed to change Chromium (~/.pki/nssdb), and is not installed.',
      suggestions: ['sudo apt-get install libnss3-tools   # Fedora: nss-tools, Arch: nss, openSUSE: mozilla-nss-tools'],
    })
  })

  it('is looked for where Chromium and each Firefox keep theirs', async () => {
    const profiles = [
      'user/.pki/nssdb',
      'user/.local/share/pki/nssdb',
      'user/.mozilla/firefox/a.default',
      'user/snap/firefox/common/.mozilla/firefox/b.default',
      'user/.var/app/org.mozilla.firefox/.mozilla/firefox/c.default',
    ]
    const context = machine({ chromium: '' }, [...profiles, 'user/.mozilla/firefox/no-database'])
    for (const profile of profiles) writeFileSync(join(directory, profile, 'cert9.db'), '')
    expect((await findStores(context)).map(({ id }) => id)).toEqual(
      profiles.map((profile) => `nss:${join(directory, profile)}`),
    )
  })

  it('lists nicknames with spaces, and nothing else', () => {
    const list = `
Certificate Nickname                                         Trust Attributes
                                                             SSL,S/MIME,JAR/XPI

Moat CA 1a2b3c4d                                             C,,
Client                                                       u,u,u
`
    expect(nicknames(list)).toEqual(['Moat CA 1a2b3c4d', 'Client'])
  })
})

describe('what Chromium says', () => {
  it.each([
    ['a page', '<html><body><pre>hello</pre></body></html>', '', true, undefined],
    ['a refusal', '', 'Page load failed: net::ERR_CERT_AUTHORITY_INVALID\n', false, 'ERR_CERT_AUTHORITY_INVALID'],
    ['an older refusal', '<html><body></body></html>', 'handshake failed; net_error -202\n', false, '-202'],
    ['no connection', '', 'Page load failed: net::ERR_CONNECTION_REFUSED\n', undefined, 'ERR_CONNECTION_REFUSED'],
    ['nothing', '', '', undefined, 'it showed nothing'],
  ])('is understood: %s', (_, stdout, stderr, trusted, reason) => {
    expect(verdictOfChromium(stdout, stderr)).toEqual({
      client: 'chromium',
      trusted,
      ...(reason !== undefined && { reason }),
    })
  })
})

describe('Chromium, while containers come and go', () => {
  it.each([
    ['is asked anew', 2, { client: 'chromium', trusted: true }, 3],
    ['is not asked for ever', 9, { client: 'chromium', reason: 'ERR_NETWORK_CHANGED', trusted: undefined }, 4],
  ])('%s', async (_, disturbed, verdict, asked) => {
    const count = join(directory, 'count')
    const changed = 'echo "Page load failed: net::ERR_NETWORK_CHANGED" >&2'
    const page = 'echo "<html><body>moat</body></html>"'
    const counted = `n=0; [ ! -e '${count}' ] || read n <'${count}'; n=$((n + 1)); echo $n >'${count}'`
    const script = `${counted}\nif [ $n -le ${disturbed} ]; then ${changed}; else ${page}; fi`
    const context = machine({ chromium: script }, [])
    const chromium = join(directory, 'bin/chromium')
    expect(await probeWithChromium(chromium, { domain: 'localhost', port: 1 }, context)).toEqual(verdict)
    expect(Number(readFileSync(count, 'utf8'))).toBe(asked)
  })
})

describe('a root of moat', () => {
  it('is known by its name, whoever made it', () => {
    expect(moatRootIn(root.certificate.toString())?.fingerprint256).toBe(root.certificate.fingerprint256)
    expect(moatRootIn('-----BEGIN CERTIFICATE-----\nbroken\n-----END CERTIFICATE-----')).toBeUndefined()
  })
})
