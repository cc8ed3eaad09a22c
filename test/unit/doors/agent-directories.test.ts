import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { AgentDirectories } from '../../../src/doors/agent-directories.js'
import { makeAgentDirectory } from '../../../src/doors/agent-directory.js'

let paths: { agents: string; proxy: string }
let log: string[]

beforeEach(() => {
  log = []
  const proxy = mkdtempSync(join(tmpdir(), 'moat-agents-'))
  paths = { agents: join(proxy, 'agents'), proxy }
})
afterEach(() => rmSync(join(paths.agents, '..'), { force: true, recursive: true }))

const newDirectories = () => new AgentDirectories(paths, (line) => log.push(line))
const left = () => readdirSync(paths.agents)

describe('directories of agents', () => {
  it('are made in one that only this user can open, with one in them that the container writes', async () => {
    await makeAgentDirectory(paths, 'run_a')
    await makeAgentDirectory(paths, 'run_a')
    expect(statSync(paths.agents).mode & 0o777).toBe(0o700)
    expect(statSync(join(paths.agents, 'run_a')).mode & 0o777).toBe(0o755)
    expect(statSync(join(paths.agents, 'run_a', 'in')).mode & 0o777).toBe(0o700)
  })

  it('are made again when somebody deleted them, so that the container can be started again', async () => {
    const kept = { forwards: [8080], runId: 'run_0123456789ab', wayIn: 'sockets' as const }
    const directories = newDirectories()
    await directories.sweep([kept, { runId: 'run_without' }])
    expect(left()).toEqual([kept.runId])
    expect(readdirSync(join(paths.agents, kept.runId))).toEqual(['forward', 'in'])
    await directories.sweep([])
    expect(left()).toEqual([])
  })

  it('go with their agents; one whose container is just being made stays', async () => {
    const directories = newDirectories()
    await directories.sweep([])
    for (const runId of ['run_a', 'run_b', 'run_new']) await makeAgentDirectory(paths, runId)
    await directories.sweep([{ runId: 'run_a' }, { runId: 'run_b' }])
    expect(left()).toEqual(['run_a', 'run_b', 'run_new'])
    await directories.sweep([{ runId: 'run_b' }])
    expect(left()).toEqual(['run_b', 'run_new'])
  })

  it('go when nobody ever came for them', async () => {
    await makeAgentDirectory(paths, 'run_old')
    const hourAgo = Date.now() / 1000 - 3_600
    utimesSync(join(paths.agents, 'run_old'), hourAgo, hourAgo)
    await newDirectories().sweep([])
    expect(left()).toEqual([])
  })

  it('go whatever their containers have put there', async () => {
    const inside = join(await makeAgentDirectory(paths, 'run_a'), 'in')
    const deep = `for (let i = 0; i < 30; i++) { fs.mkdirSync('d'.repeat(200)); process.chdir('d'.repeat(200)) }`
    execFileSync(process.execPath, ['-e', deep], { cwd: inside })
    for (const name of ['closed', '-rf', 'out']) mkdirSync(join(inside, name))
    writeFileSync(join(inside, 'closed', 'file'), '')
    chmodSync(join(inside, 'closed'), 0)
    symlinkSync(paths.agents, join(inside, 'out', 'link'))
    await makeAgentDirectory(paths, 'run_b')
    await makeAgentDirectory(paths, 'run_old')
    const hourAgo = Date.now() / 1000 - 3_600
    for (const name of ['run_a', 'run_old']) utimesSync(join(paths.agents, name), hourAgo, hourAgo)
    await newDirectories().sweep([{ runId: 'run_b' }])
    expect([left(), log]).toEqual([['run_b'], []])
  })

  // Only root may mount.
  it.skipIf(process.platform !== 'linux' || process.getuid?.() !== 0)(
    'that cannot be removed are named once, and keep nobody else’s',
    async () => {
      const directories = newDirectories()
      for (const runId of ['run_a', 'run_b']) await makeAgentDirectory(paths, runId)
      await directories.sweep([{ runId: 'run_a' }, { runId: 'run_b' }])
      // As what belongs to another user is to an ordinary one.
      const busy = join(paths.agents, 'run_a', 'in')
      execFileSync('mount', ['-t', 'tmpfs', 'none', busy])
      try {
        for (let look = 0; look < 2; look++) await directories.sweep([])
        expect(left()).toEqual(['run_a'])
        expect(log).toEqual([expect.stringContaining(`cannot remove ${join(paths.agents, 'run_a')}: `)])
      } finally {
        execFileSync('umount', [busy])
      }
      await directories.sweep([])
      expect(left()).toEqual([])
    },
  )
})
