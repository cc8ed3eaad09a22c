// How and when an agent ended is said wherever it is shown: by its exit code, a signal, or for want of memory.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { AgentEnd } from '../../../src/routing/agent-end.js'
import type { AgentView } from '../../../src/routing/agent-view.js'
import { Sandbox } from '../../helpers/sandbox.js'
import { until } from '../../helpers/until.js'

let sandbox: Sandbox
beforeAll(() => {
  sandbox = new Sandbox()
})
afterAll(() => sandbox.cleanUp())

const project = (name: string, command: string, extra = '') =>
  sandbox.directory(name, {
    'moat.yaml': `name: ${name}\ndependencies: [node@22]\ncommand: ${JSON.stringify(command)}\n${extra}`,
  })

/** Takes all the memory it can get. */
const greedy = `node -e "const all = []; for (;;) all.push(Buffer.alloc(1e7, 1))"`

const listed = async (name: string) => {
  const { agents } = await sandbox.json<{ agents: (AgentView & { end?: AgentEnd })[] }>(['list'])
  return agents.find((agent) => agent.name === name)
}

describe('an agent that was killed for want of memory', () => {
  it('says so when it is run, and wherever it is shown afterwards', async () => {
    const directory = project('greedy', greedy, 'ports: {web: 3000}\ncontainer: {memory: 64}\n')
    const outcome = await sandbox.moat(['run', '--keep', directory])
    const told = 'exit code 137 (SIGKILL), out of memory at the limit of 64 MB (container.memory)'
    expect(outcome).toMatchObject({ code: 137, stderr: expect.stringContaining(`greedy ended: ${told}.\n`) })
    expect((await listed('greedy'))?.end).toEqual({
      at: expect.stringMatching(/^\d{4}-/),
      exitCode: 137,
      outOfMemory: 64 * 1024 ** 2,
    })
    expect((await sandbox.moat(['list'])).stdout).toMatch(
      /greedy {2}run_\w+ {2}exited \(137, out of memory\) \d+\w ago/,
    )
    expect((await sandbox.moat(['logs', 'greedy'])).stderr).toMatch(/greedy ended \d+\w ago: exit code 137/)
    expect((await sandbox.moat(['open', 'greedy'])).stderr).toContain(`its state is exited, ${told}.`)
    expect((await sandbox.moat(['wait', 'greedy'])).stderr).toContain(told)
  })

  it('says so on its page and on the dashboard', async () => {
    const { indexUrl } = await sandbox.json<{ indexUrl: string }>(['proxy', 'start', '--detach'])
    const html = { headers: { accept: 'text/html' } }
    // No certificate is made for an agent that does not run.
    const host = `web.greedy.${new URL(indexUrl).host}`
    const asked = () => sandbox.get(indexUrl, { headers: { accept: 'text/html', host }, servername: 'localhost' })
    await until('the page', async () => (await asked()).body.includes('out of memory at the limit of 64 MB'))
    expect((await sandbox.get(indexUrl, html)).body).toContain('exit code 137 (SIGKILL), out of memory')
    const { body } = await sandbox.get(indexUrl, { headers: { accept: 'application/json' } })
    expect(JSON.parse(body).agents[0].end).toMatchObject({ exitCode: 137 })
  })
})

describe('an agent that ended otherwise', () => {
  it('by its exit code says which', async () => {
    const outcome = await sandbox.moat(['run', '--keep', project('failing', 'sleep 0.1; exit 3')])
    expect(outcome).toMatchObject({ code: 3, stderr: expect.stringContaining('failing ended: exit code 3.\n') })
    expect(await listed('failing')).toMatchObject({ end: { exitCode: 3 }, state: 'exited' })
  })

  it('by a signal says which', async () => {
    const { runId } = await sandbox.json<AgentView>(['run', '-d', '--keep', project('hit', 'exec sleep 1000')])
    const container = (await sandbox.containers()).find(({ Labels }) => Labels['dev.moat.run-id'] === runId)
    await sandbox.docker.getContainer(container?.Id ?? '').kill({ signal: 'SIGUSR1' })
    await until('its end', async () => (await listed('hit'))?.end)
    expect((await sandbox.moat(['logs', '--json', 'hit'])).stdout).toContain('"exitCode": 138')
    expect((await sandbox.moat(['logs', 'hit'])).stderr).toMatch(/: exit code 138 \(SIGUSR1\)\.\n$/)
  })

  it('because its command went to the background says that', async () => {
    const outcome = await sandbox.moat(['run', project('back', 'sleep 100 &')])
    expect(outcome.stderr).toContain('Its command ends with &, which puts it into the background.')
    const fine = await sandbox.moat(['run', project('both', 'true && true')])
    expect(fine.stderr).not.toContain('background')
  })
})
