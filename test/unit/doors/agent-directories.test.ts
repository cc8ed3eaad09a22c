import { mkdtempSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  AgentDirectories,
  makeAgentDirectory,
  prepareAgentDirectories,
} from '../../../src/supervisor/agent-directories.js'

let paths: { agents: string }

beforeEach(() => {
  paths = { agents: join(mkdtempSync(join(tmpdir(), 'moat-agents-')), 'agents') }
})
afterEach(() => rmSync(join(paths.agents, '..'), { force: true, recursive: true }))

const left = () => readdirSync(paths.agents)

describe('directories of agents', () => {
  it('are made, one again that is gone, in one that only this user can open', async () => {
    await prepareAgentDirectories(paths, [{ agent: 'a', runId: 'run_a' }])
    await prepareAgentDirectories(paths, [
      { agent: 'a', runId: 'run_a' },
      { agent: 'b', runId: 'run_b' },
    ])
    expect(left()).toEqual(['run_a', 'run_b'])
    expect(statSync(paths.agents).mode & 0o777).toBe(0o700)
    expect(statSync(join(paths.agents, 'run_a')).mode & 0o777).toBe(0o755)
  })

  it('lose the socket that Caddy no longer listens on, and nothing else', async () => {
    const both = ['run_a', 'run_b'].map((runId) => ({ agent: runId.slice(-1), runId }))
    await prepareAgentDirectories(paths, both)
    for (const { runId } of both)
      for (const name of ['forward', 'proxy.sock']) writeFileSync(join(paths.agents, runId, name), '')
    await prepareAgentDirectories(paths, both.slice(0, 1))
    expect(readdirSync(join(paths.agents, 'run_a'))).toEqual(['forward', 'proxy.sock'])
    expect(readdirSync(join(paths.agents, 'run_b'))).toEqual(['forward'])
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
