// The root's key in wrong hands: certificates for other names are worth nothing to openssl, Node and Chromium.
import { execFile, execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ensureAuthority } from '../../../src/authority/root.js'
import { type MoatPaths, moatPaths } from '../../../src/config/paths.js'
import { shakeHands } from '../../helpers/bare-caddy.js'
import { type Forged, forgeAuthority, forgeLeaf, openssl } from '../../helpers/forge.js'
import { requireProgram } from '../../helpers/trust-machine.js'
import { until } from '../../helpers/until.js'

let directory: string
let paths: MoatPaths
let root: { certificate: string; key: string }
const servers: Server[] = []

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'moat-thief-'))
  paths = moatPaths({ MOAT_HOME: directory })
  await ensureAuthority(paths, 'localhost')
  root = { certificate: paths.caCertificate, key: paths.caKey }
  const database = join(directory, '.pki/nssdb')
  mkdirSync(database, { recursive: true })
  requireProgram('certutil', 'apt-get install -y libnss3-tools')
  execFileSync('certutil', ['-N', '-d', `sql:${database}`, '--empty-password'])
  execFileSync('certutil', ['-A', '-d', `sql:${database}`, '-t', 'C,,', '-n', 'Moat CA', '-i', paths.caCertificate])
})
afterAll(() => {
  for (const server of servers) server.close()
  rmSync(directory, { force: true, recursive: true })
})

/** A server that the thief would lead a victim to. */
async function serve({ chain, key }: Forged): Promise<number> {
  const server = createServer({ cert: chain, key: readFileSync(key) }, (_, response) => response.end('come in'))
  servers.push(server.listen(0, '127.0.0.1'))
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

/** What openssl says of a leaf, and of an authority between it and the root. */
function verify({ certificate, chain }: Forged): string {
  const between = join(directory, 'between.pem')
  writeFileSync(between, chain)
  try {
    return openssl('verify', '-CAfile', paths.caCertificate, '-untrusted', between, certificate)
  } catch (error) {
    return String((error as { stderr: string }).stderr)
  }
}

/** Why Node, trusting the root, does not speak to the server. */
async function refusal(servername: string, port: number): Promise<string> {
  const socket = connect({ ca: readFileSync(paths.caCertificate), host: '127.0.0.1', port, servername })
  const [error] = await once(socket, 'error')
  return (error as Error).message
}

/** The page a Chromium that trusts the root sees, and what it complains about. */
async function load(host: string, port: number): Promise<string> {
  const chromium = requireProgram('chromium', 'apt-get install -y chromium')
  const profile = mkdtempSync(join(directory, 'profile-'))
  const root = process.getuid?.() === 0 ? ['--no-sandbox'] : []
  const args = ['--headless', '--disable-gpu', '--no-proxy-server', '--enable-logging=stderr', '--dump-dom']
  const resolve = `--host-resolver-rules=MAP ${host} 127.0.0.1`
  const argv = [...root, ...args, `--user-data-dir=${profile}`, resolve, `https://${host}:${port}/`]
  // Chromium gives up what it loads when a container of another test comes or goes, and has seen no certificate then.
  return until('a load during which the network stayed as it was', async () => {
    const { stderr, stdout } = await promisify(execFile)(chromium, argv, { env: { ...process.env, HOME: directory } })
    return !stderr.includes('ERR_NETWORK_CHANGED') && stdout + stderr
  })
}

describe("a certificate made with the root's key", () => {
  it('is good for an agent, or the rest of this would prove nothing', async () => {
    const forged = forgeLeaf(directory, 'web.my-app.localhost', root)
    expect(verify(forged)).toContain(': OK')
    const port = await serve(forged)
    expect((await shakeHands('web.my-app.localhost', port, paths.caCertificate)).verdict).toBe('accepted')
    expect(await load('web.my-app.localhost', port)).toContain('come in')
  })

  it.each([
    ['directly', () => forgeLeaf(directory, 'www.example.com', root)],
    [
      "by an authority of the thief's",
      () => forgeLeaf(directory, 'www.example.com', forgeAuthority(directory, root), root),
    ],
  ])('is refused for another name, signed %s', async (_, forge) => {
    const forged = forge()
    expect(verify(forged)).toContain('permitted subtree violation')
    const port = await serve(forged)
    expect(await refusal('www.example.com', port)).toBe('permitted subtree violation')
    const seen = await load('www.example.com', port)
    expect(seen).not.toContain('come in')
    expect(seen).toContain('net::ERR_CERT_')
  })

  it('is refused for a name that only ends like ours', async () => {
    expect(verify(forgeLeaf(directory, 'evillocalhost', root))).toContain('permitted subtree violation')
    expect(verify(forgeLeaf(directory, 'localhost.example.com', root))).toContain('permitted subtree violation')
  })
})
