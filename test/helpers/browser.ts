// A real Chromium that trusts the sandbox's authority the way a person's does: in its certificate store, not by a flag
// that turns verification off.
import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { type BrowserContext, chromium } from 'playwright-core'
import type { Sandbox } from './sandbox.js'

const artefacts = resolve('test-artefacts')

export interface TestBrowser {
  close(): Promise<void>
  context: BrowserContext
}

/** Chromium looks for its store in the home directory: it gets one of its own. */
export async function startBrowser(sandbox: Sandbox): Promise<TestBrowser> {
  const home = sandbox.directory('browser')
  const store = sandbox.directory('browser/.pki/nssdb')
  execFileSync('certutil', ['-N', '-d', `sql:${store}`, '--empty-password'], { stdio: 'pipe' })
  const authority = join(home, 'ca.crt')
  writeFileSync(authority, sandbox.certificate)
  execFileSync('certutil', ['-A', '-d', `sql:${store}`, '-n', 'Moat CA', '-t', 'C,,', '-i', authority], {
    stdio: 'pipe',
  })
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
    executablePath: process.env.MOAT_TEST_CHROMIUM ?? '/usr/bin/chromium',
    // Playwright's own default would have it accept anything.
    ignoreHTTPSErrors: false,
  })
  return { close: () => context.close(), context }
}

/** Where a picture for a person to look at goes. */
export function artefact(name: string): string {
  mkdirSync(artefacts, { recursive: true })
  return join(artefacts, name)
}
