// Each check of what moat has written down: its authority, who trusts it, its files and what is left over.
import { X509Certificate } from 'node:crypto'
import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ensureEgressAuthority } from '../../../src/authority/egress-root.js'
import { ensureAuthority } from '../../../src/authority/root.js'
import { fingerprintOf, moatRootIn, readOldRoots } from '../../../src/authority/roots.js'
import { checkAuthority } from '../../../src/doctor/check-authority.js'
import { checkEgressAuthority } from '../../../src/doctor/check-egress-authority.js'
import { checkLeftovers } from '../../../src/doctor/check-leftovers.js'
import { checkState } from '../../../src/doctor/check-state.js'
import { checkTrust } from '../../../src/doctor/check-trust.js'
import type { DoctorContext } from '../../../src/doctor/diagnosis.js'
import { takeFileLock } from '../../../src/processes/file-lock.js'
import { DoctoredMachine } from '../../helpers/doctored-machine.js'

let context: DoctorContext
let home: string
let machine: DoctoredMachine

beforeEach(() => {
  machine = new DoctoredMachine()
  ;({ context, home } = machine)
})
afterEach(() => machine.end())

describe('authority', () => {
  it('need not exist yet; when it does, its key is private and its end far', async () => {
    expect(await checkAuthority(context)).toMatchObject([{ status: 'ok' }])
    await ensureAuthority(context.paths, 'localhost')
    expect(await checkAuthority(context)).toMatchObject([{ status: 'ok' }])
    const nearItsEnd = new Date(Date.now() + 9.9 * 365.25 * 86_400_000)
    expect(await checkAuthority(context, nearItsEnd)).toMatchObject([
      { message: expect.stringMatching(/^The root certificate ends in \d\d days, on /), status: 'warn' },
    ])
    chmodSync(context.paths.caKey, 0o644)
    expect(await checkAuthority(context)).toMatchObject([
      {
        fixes: [`chmod 600 ${context.paths.caKey}`],
        message: `${context.paths.caKey} has the mode 644: other users of this machine could use it against you.`,
        repair: { privileged: false },
        status: 'fail',
      },
    ])
  })

  it('whose key is missing is an error, with the command', async () => {
    await ensureAuthority(context.paths, 'localhost')
    rmSync(context.paths.caKey)
    await expect(checkAuthority(context)).rejects.toMatchObject({
      code: 'CA_BROKEN',
      suggestions: [
        expect.stringMatching(/^moat proxy stop; rm -r .*; moat proxy start --detach && moat proxy trust /),
      ],
    })
  })
})

describe('second authority', () => {
  it('is not spoken of before there is one; then nobody reads its key, and no store of this machine trusts it', async () => {
    const trusting = {
      id: 'system',
      name: 'system store',
      roots: async () => [{ fingerprint: 'of another', label: '' }],
    }
    expect(await checkEgressAuthority(context, [trusting])).toEqual([])
    const certificate = new X509Certificate(await ensureEgressAuthority(context.paths))
    expect(await checkEgressAuthority(context, [trusting])).toMatchObject([{ status: 'ok' }])
    trusting.roots = async () => [{ fingerprint: fingerprintOf(certificate), label: '' }]
    chmodSync(context.paths.egressKey, 0o640)
    expect(await checkEgressAuthority(context, [trusting])).toMatchObject([
      { fixes: [`chmod 600 ${context.paths.egressKey}`], status: 'fail' },
      { fixes: ['moat proxy untrust && moat proxy trust', 'moat proxy ca rotate --egress'], status: 'fail' },
    ])
    // To take it out is what both commands do.
    expect(await readOldRoots(context.paths)).toContain(fingerprintOf(certificate))
    expect(moatRootIn(certificate.toString())).toBeDefined()
  })
})

describe('trust', () => {
  it('is not guessed while no proxy runs', async () => {
    expect(await checkTrust(context)).toEqual([
      {
        check: 'trust',
        fixes: ['moat proxy start --detach && moat doctor'],
        message: 'Not checked, because the proxy is not running: only a handshake can tell.',
        status: 'warn',
      },
    ])
  })
})

describe('files', () => {
  const me = { gid: process.getgid?.() ?? 0, uid: process.getuid?.() ?? 0 }

  it('are all the user own, and private', async () => {
    mkdirSync(context.paths.proxy, { mode: 0o700 })
    expect(await checkState(context, me)).toMatchObject([{ status: 'ok' }])
    writeFileSync(join(home, 'config.yaml'), '')
    chmodSync(join(home, 'config.yaml'), 0o666)
    expect(await checkState(context, me)).toMatchObject([
      { fixes: [`chmod -R go-w ${home}`], message: expect.stringContaining('config.yaml (mode 666)'), status: 'warn' },
    ])
    chmodSync(context.paths.proxy, 0o755)
    expect(await checkState(context, me)).toMatchObject([{ fixes: [`chmod 700 ${context.paths.proxy}`] }])
  })

  it('of somebody else take sudo to get back', async () => {
    const other = { gid: 7, uid: me.uid + 7 }
    const owner = me.uid === 0 ? 'root' : `user ${me.uid}`
    expect(await checkState(context, other)).toEqual([
      {
        check: 'files',
        fixes: [`sudo chown -R ${other.uid}:7 ${home}`],
        message: `Not yours: ${home} (${owner}).`,
        repair: { argv: ['chown', '-R', `${other.uid}:7`, home], kind: 'command', privileged: true },
        status: 'fail',
      },
    ])
  })
})

describe('leftovers', () => {
  it('are sockets of killed processes', async () => {
    expect(await checkLeftovers(context)).toMatchObject([{ message: 'None.', status: 'ok' }])
    mkdirSync(context.paths.proxy)
    writeFileSync(context.paths.controlSocket, '')
    expect(await checkLeftovers(context)).toMatchObject([
      { fixes: [`rm -f ${context.paths.controlSocket}`], status: 'warn' },
    ])
  })

  it('are no Caddy only because somebody listens where Caddy would', async () => {
    mkdirSync(context.paths.proxy)
    await machine.listen(context.paths.adminSocket)
    expect(await checkLeftovers(context)).toMatchObject([
      { fixes: [`rm -f ${context.paths.adminSocket}`], status: 'warn' },
    ])
  })

  it('are a supervisor that does not answer, and no process is named that is none', async () => {
    const lock = await takeFileLock(context.paths.supervisorLock)
    expect(await checkLeftovers(context)).toMatchObject([
      {
        fixes: [`lsof ${context.paths.supervisorLock}   # which process has the lock of the supervisor`],
        message: "The proxy's supervisor does not answer.",
        status: 'fail',
      },
    ])
    await lock?.release()
  })
})
