// A disk under ~/.moat that is full, or that cannot be written to: what runs goes on, what shows and stops works, and what cannot be
// done is refused in words that say why.
import { execFileSync } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { AgentView } from '../../../src/routing/agent-view.js'
import { patience } from '../../helpers/fuzz.js'
import { Sandbox } from '../../helpers/sandbox.js'
import { until } from '../../helpers/until.js'

let sandbox: Sandbox
let url: string
/** Undoes what was done to the disk. */
let mend: () => void

const mount = (...args: string[]) => execFileSync('mount', args, { stdio: 'pipe' })

beforeEach(async () => {
  sandbox = new Sandbox()
  mend = () => {}
  mkdirSync(sandbox.home, { recursive: true })
  // Only root can; a user of Docker's is as good as that, but not in a test.
  mount('-t', 'tmpfs', '-o', 'size=24m', 'tmpfs', sandbox.home)
  url = (await sandbox.json<AgentView>(['run', '-d', sandbox.workspace('app')])).endpoints[0]?.url ?? ''
})
afterEach(async () => {
  mend()
  await sandbox.moat(['stop', 'app', 'two'])
  await sandbox.moat(['proxy', 'stop'])
  await until('every process to have ended', async () => Object.values(await sandbox.processes()).flat().length === 0)
  execFileSync('umount', [sandbox.home])
  await sandbox.cleanUp()
})

const faults: Record<string, { fault: () => void; words: RegExp }> = {
  'that cannot be written to': {
    fault: () => {
      // Over it, for what is open keeps the kernel from making it so itself.
      mount('--bind', sandbox.home, sandbox.home)
      mend = () => void execFileSync('umount', [sandbox.home])
      mount('-o', 'remount,bind,ro', sandbox.home)
    },
    words: /read-only/i,
  },
  'that is full': {
    fault: () => {
      const filler = join(sandbox.home, 'filler')
      mend = () => rmSync(filler)
      for (let size = 1024 * 1024; size > 0; size = Math.floor(size / 2))
        try {
          for (;;) writeFileSync(filler, Buffer.alloc(size), { flag: 'a' })
        } catch {}
    },
    words: /no space|full/i,
  },
}

it.each(Object.keys(faults))('%s', patience, async (name) => {
  faults[name]?.fault()
  expect((await sandbox.get(url)).body).toBe('app 3000')
  for (const command of ['list', 'status', 'proxy status', 'doctor']) {
    const { code, stderr } = await sandbox.moat(command.split(' '))
    expect([command, stderr]).toEqual([command, expect.not.stringMatching(/defect|\n\s+at /)])
    if (command !== 'doctor') expect([command, code, stderr]).toEqual([command, 0, expect.any(String)])
  }
  const run = await sandbox.moat(['run', '-d', sandbox.workspace('two')])
  expect(run.stderr).not.toMatch(/defect|\n\s+at /)
  if (run.code !== 0) expect(run.stderr).toMatch(faults[name]?.words ?? /^$/)
  const stop = await sandbox.moat(['stop', 'app'])
  expect([stop.code, stop.stderr]).toEqual([0, expect.any(String)])
  await sandbox.moat(['stop', 'two'])
  const ended = await sandbox.moat(['proxy', 'stop'])
  expect([ended.code, ended.stderr]).toEqual([0, expect.any(String)])
  const start = await sandbox.moat(['proxy', 'start', '--detach'])
  expect(start.stderr).not.toMatch(/defect|\n\s+at /)
  if (start.code !== 0) expect(start.stderr).toMatch(faults[name]?.words ?? /^$/)
  mend()
  mend = () => {}
  const { endpoints } = await sandbox.json<AgentView>(['run', '-d', sandbox.workspace('app')])
  await until('an answer', async () => (await sandbox.get(endpoints[0]?.url ?? '')).body === 'app 3000', 30_000)
})
