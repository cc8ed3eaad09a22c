import { mkdtempSync, readdirSync, rmSync, statSync, utimesSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { AgentDirectories } from '../../../src/doors/agent-directories.js'
import { makeAgentDirectory } from '../../../src/doors/agent-directory.js'

let paths: { agents: string }

beforeEach(() => {
  paths = { agents: join(mkdtempSync(join(tmpdir(), 'moat-agents-')), 'agents') }
})
afterEach(() => rmSync(join(paths.agents, '..'), { force: true, recursive: true }))

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
    const directories = new AgentDirectories(paths)
    await directories.sweep([kept, { runId: 'run_without' }])
    expect(left()).toEqual([kept.runId])
    expect(readdirSync(join(paths.agents, kept.runId))).toEqual(['forward', 'in'])
    await directories.sweep([])
    expect(left()).toEqual([])
  })

  it('go with their agents; one whose container is just being made stays', async () => {
    const directories = new AgentDirectories(paths)
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
    await new AgentDirectories(paths).sweep([])
    expect(left()).toEqual([])
  })
})
