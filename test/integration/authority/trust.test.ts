// moat proxy trust and untrust with the real tools: what clients make of it, and that nothing is left.
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { StoreStatus } from '../../../src/authority/plan-trust.js'
import type { Finding } from '../../../src/doctor/diagnosis.js'
import { TrustMachine } from '../../helpers/trust-machine.js'

let machine: TrustMachine

beforeEach(() => {
  machine = new TrustMachine()
})
afterEach(() => machine.cleanUp())

const moat = (...args: string[]) => machine.sandbox.moat(['proxy', ...args])

/** Who trusts the running proxy: yes, no or unknown, as real clients answered. */
async function status(): Promise<Record<string, [string | undefined, boolean | undefined]>> {
  const { stdout } = await moat('trust', '--status', '--json')
  const { stores } = JSON.parse(stdout) as { stores: StoreStatus[] }
  return Object.fromEntries(stores.map(({ client, name, trusted }) => [name.split(' (')[0], [client, trusted]]))
}

const everywhere = (trusted: boolean) => ({
  Chromium: ['chromium', trusted],
  Firefox: ['vfyserv', trusted],
  'system store': ['curl', trusted],
})

describe('moat proxy trust', { timeout: 180_000 }, () => {
  it('makes curl, Chromium and Firefox accept the proxy, and untrust leaves every byte as it was', async () => {
    await machine.sandbox.json(['proxy', 'start', '--detach'])
    const before = machine.contents()
    expect(await status()).toEqual(everywhere(false))
    const trusted = await moat('trust', '--yes')
    expect(trusted.code, trusted.stderr).toBe(0)
    expect(await status()).toEqual(everywhere(true))
    expect((await moat('trust', '--status')).code).toBe(0)
    const { checks } = await machine.sandbox.json<{ checks: Finding[] }>(['doctor'])
    expect(checks.filter(({ check }) => /^trust \((?!node)/.test(check))).toMatchObject(
      Array.from({ length: 3 }, () => ({ status: 'ok' })),
    )

    const again = await moat('trust', '--yes')
    expect(again.stderr).toContain('system store (Debian, Ubuntu): trusts it already.')
    expect(again.stderr).not.toContain('$ ')

    const untrusted = await moat('untrust', '--yes')
    expect(untrusted.code, untrusted.stderr).toBe(0)
    expect(machine.contents()).toEqual(before)
    // Not even moat keeps copies of what is in them.
    expect(readdirSync(join(machine.sandbox.home, 'proxy/trust'))).toEqual([])
    expect(await status()).toEqual(everywhere(false))
    expect((await moat('trust', '--status')).code).toBe(1)
  })

  it('is asked of clients at a domain of the user, whether or not that resolves', async () => {
    writeFileSync(join(machine.sandbox.directory('home'), 'config.yaml'), 'proxy: {domain: moat.test}\n')
    await machine.sandbox.json(['proxy', 'start', '--detach'])
    expect(await status()).toEqual(everywhere(false))
    expect((await moat('trust', '--yes')).code).toBe(0)
    expect(await status()).toEqual(everywhere(true))
    expect((await moat('untrust', '--yes')).code).toBe(0)
  })

  it('makes the database that Chromium would read, and takes it away again', async () => {
    rmSync(join(machine.userHome, '.pki'), { recursive: true })
    expect((await moat('trust', '--yes')).code).toBe(0)
    expect(existsSync(join(machine.chromium, 'cert9.db'))).toBe(true)
    expect((await moat('untrust', '--yes')).code).toBe(0)
    expect(existsSync(join(machine.userHome, '.pki'))).toBe(false)
  })

  it('takes only its own certificate out of a database that was changed meanwhile', async () => {
    expect((await moat('trust', '--yes')).code).toBe(0)
    const database = `sql:${machine.chromium}`
    const [key, other] = [join(machine.userHome, 'other.key'), join(machine.userHome, 'other.crt')]
    const kind = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', '/CN=Other CA']
    execFileSync('openssl', ['req', ...kind, '-keyout', key, '-out', other], { stdio: 'pipe' })
    execFileSync('certutil', ['-A', '-d', database, '-t', 'C,,', '-n', 'Other CA', '-i', other])
    const { stderr } = await moat('untrust', '--yes')
    expect(stderr).toMatch(/\$ certutil -D -d sql:\S+\/\.pki\/nssdb -n 'Moat CA [0-9a-f]{8}'\n/)
    const list = execFileSync('certutil', ['-L', '-d', database], { encoding: 'utf8' })
    expect(list).toContain('Other CA')
    expect(list).not.toContain('Moat CA')
  })

  it('puts a new root in the place of one that was rotated away, and untrust finds both', async () => {
    const moatAnchors = () => machine.anchors().filter((name) => name.startsWith('moat-'))
    const before = machine.contents()
    expect((await moat('trust', '--yes')).code).toBe(0)
    const first = moatAnchors()
    await machine.sandbox.json(['proxy', 'ca', 'rotate'])
    expect((await moat('trust', '--yes')).code).toBe(0)
    expect(moatAnchors()).toHaveLength(1)
    expect(moatAnchors()).not.toEqual(first)
    const list = execFileSync('certutil', ['-L', '-d', `sql:${machine.firefox}`], { encoding: 'utf8' })
    expect(list.match(/Moat CA/g)).toHaveLength(1)
    await machine.sandbox.json(['proxy', 'start', '--detach'])
    expect(await status()).toEqual(everywhere(true))

    await machine.sandbox.json(['proxy', 'ca', 'rotate'])
    expect(await status()).toEqual(everywhere(false))
    expect((await moat('untrust', '--yes')).code).toBe(0)
    expect(machine.contents()).toEqual(before)
  })

  it('asks nobody without a terminal, and only prints with --print', async () => {
    const before = machine.contents()
    const refused = await moat('trust')
    expect(refused.code).toBe(2)
    expect(refused.stderr).toContain(
      'Error: Without a terminal, moat proxy trust does not ask and changes nothing.\n\nTry this:\n  moat proxy trust --yes\n  moat proxy trust --print\n',
    )
    const printed = await moat('trust', '--print')
    expect(printed.code).toBe(0)
    expect(printed.stdout).toMatch(
      /^# system store \(Debian, Ubuntu\)\n(sudo )?install -m 644 \S+\/ca\.crt \/usr\/local\/share\/ca-certificates\/moat-[0-9a-f]{8}\.crt\n(sudo )?update-ca-certificates\n/,
    )
    expect(machine.contents()).toEqual(before)
    expect((await moat('untrust')).stderr).toContain('Chromium (~/.pki/nssdb): has nothing of moat.')
  })

  it('says what failed, and does the rest', async () => {
    rmSync(join(machine.firefox, 'key4.db'))
    execFileSync('sh', ['-c', `echo broken > '${join(machine.firefox, 'cert9.db')}'`])
    const outcome = await moat('trust', '--yes')
    expect(outcome.code).toBe(1)
    expect(outcome.stdout).toContain('system store (Debian, Ubuntu): trusts moat now')
    expect(outcome.stderr).toMatch(/Error: Firefox \(~\/\.mozilla\/firefox\/a1b2\.default\): .*certutil failed/)
    // The proxy does not care.
    expect((await moat('start', '--detach')).code).toBe(0)
  })

  it('has no status of a proxy that is not there', async () => {
    expect((await moat('trust', '--status')).stderr).toBe(
      'Error: The proxy is not running, so no client can be asked whether it trusts it.\n\nTry this:\n  moat proxy start --detach && moat proxy trust --status\n',
    )
  })
})

describe("another moat's root", { timeout: 180_000 }, () => {
  it('stays, and is named, unless all are to go', async () => {
    const mine = machine.sandbox.home
    expect((await moat('trust', '--yes')).code).toBe(0)
    const [anchor] = machine.anchors().filter((name) => name.startsWith('moat-'))
    rmSync(mine, { recursive: true })
    const outcome = await moat('untrust', '--yes')
    expect(outcome.stderr).toContain(
      `system store (Debian, Ubuntu): /usr/local/share/ca-certificates/${anchor} is another moat's and stays; moat proxy untrust --all takes it out.`,
    )
    expect(machine.anchors()).toContain(anchor)
    expect((await moat('untrust', '--all', '--yes')).code).toBe(0)
    expect(machine.anchors()).not.toContain(anchor)
  })
})
