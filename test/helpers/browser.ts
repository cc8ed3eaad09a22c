// A real Chromium that trusts the sandbox's authority the way a person's does: in its certificate store, not by a flag
// that turns verification off.
import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { connect, createServer, type Server } from 'node:net'
import { join, resolve } from 'node:path'
import { type BrowserContext, chromium } from 'playwright-core'
import type { Sandbox } from './sandbox.js'

const artefacts = resolve('test-artefacts')
const program = process.env.MOAT_TEST_CHROMIUM ?? '/usr/bin/chromium'
/** Without root, a namespace in which one is root. */
const namespace = process.getuid?.() === 0 ? '-n' : '-rn'

export interface TestBrowser {
  close(): Promise<void>
  context: BrowserContext
}

/**
 * Chromium looks for its store in the home directory: it gets one of its own. All it can reach is the proxy's port, and what
 * becomes of this machine's network is none of its business unless `isExposed`.
 */
export async function startBrowser(sandbox: Sandbox, port: number, { isExposed = false } = {}): Promise<TestBrowser> {
  const home = sandbox.directory('browser')
  const store = sandbox.directory('browser/.pki/nssdb')
  const certutil = (...args: string[]) => execFileSync('certutil', [...args, '-d', `sql:${store}`], { stdio: 'pipe' })
  certutil('-N', '--empty-password')
  const authority = join(home, 'ca.crt')
  writeFileSync(authority, sandbox.certificate)
  certutil('-A', '-n', 'Moat CA', '-t', 'C,,', '-i', authority)
  const socket = join(home, 'port.sock')
  const forward = await forwardTo(socket, port)
  const context = await chromium.launchPersistentContext(join(home, 'profile'), {
    args: [
      '--headless=new',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
    env: { ...process.env, HOME: home },
    executablePath: isExposed ? program : inQuietNetwork(home, port, socket),
  })
  return {
    close: async () => {
      await context.close()
      forward.close()
    },
    context,
  }
}

/** A script that starts Chromium; Playwright adds arguments to it. */
function inQuietNetwork(home: string, port: number, socket: string): string {
  const script = join(home, 'chromium')
  const helper = resolve('test/helpers/quiet-network.sh')
  const words = ['unshare', namespace, 'sh', helper, port, socket, process.execPath, program]
  writeFileSync(script, `#!/bin/sh\nexec ${words.map((word) => `'${word}'`).join(' ')} "$@"\n`, { mode: 0o755 })
  return script
}

async function forwardTo(socket: string, port: number): Promise<Server> {
  const server = createServer((connection) => {
    const onward = connect(port, '127.0.0.1')
    connection.pipe(onward).pipe(connection)
    connection.on('error', () => onward.destroy())
    onward.on('error', () => connection.destroy())
  })
  await new Promise<void>((listening) => server.listen(socket, listening))
  return server
}

/** Where a picture for a person to look at goes. */
export function artefact(name: string): string {
  mkdirSync(artefacts, { recursive: true })
  return join(artefacts, name)
}
