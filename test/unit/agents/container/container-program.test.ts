// What a coding agent finds in its container: files that are there stay, and one without any credential does not start.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { installProgram, withContext } from '../../../../src/agents/container/container-program.js'
import { planAgent } from '../../../../src/agents/plan/plan-agent.js'
import type { ContainerFile } from '../../../../src/engine/files.js'
import { agentProgram } from '../../../helpers/agent-programs.js'
import { temporaryDirectory } from '../../config/temp-directory.js'

const plugins = { agentGone: async () => {}, endpointTypes: async () => [], registerEndpoints: async () => [] }

async function planned(name: 'claude' | 'codex', there: string[], contextFile?: 'none') {
  const path = await temporaryDirectory()
  await writeFile(join(path, 'moat.yaml'), 'name: app\n')
  const { contextFile: file, ...described } = await agentProgram(name)
  const program = { ...described, ...(contextFile === undefined && file !== undefined && { contextFile: file }) }
  const start = { continue: false, print: false, yolo: true }
  const asked = { home: '/h', imports: false, login: false, profile: 'default', program, start, there }
  return planAgent({ env: {}, mounts: [], path, program: asked }, plugins, 'localhost')
}

/** What is written into a container that has the files `there`. */
async function installed(plan: Awaited<ReturnType<typeof planned>>, there: string[], isRootless = false) {
  const written: ContainerFile[] = []
  const files = {
    has: async (_: string, path: string) => there.includes(path),
    write: async (_: string, directory: string, all: readonly ContainerFile[]) => {
      expect(directory).toBe('/')
      written.push(...all)
    },
  }
  const engine = { files: files as never, isRootless: async () => isRootless }
  await installProgram(plan, 'id', { address: undefined, engine, user: { gid: 7, uid: 6 } })
  return written
}

it('has what it is told as a file of root, and files of its first start as its own', async () => {
  const plan = await planned('claude', ['claude'])
  const [context, ...seeds] = await installed(plan, [])
  expect(context).toMatchObject({
    name: 'etc/claude-code/CLAUDE.md',
    text: expect.stringMatching(/^# This container\n/),
  })
  expect(context).not.toHaveProperty('owner')
  expect(seeds.map(({ mode, name, owner }) => ({ mode, name, owner }))).toEqual([
    { mode: 0o600, name: 'var/lib/claude/.claude.json', owner: { gid: 7, uid: 6 } },
    { mode: 0o600, name: 'var/lib/claude/settings.json', owner: { gid: 7, uid: 6 } },
  ])
  const names = async (there: string[]) => (await installed(plan, there)).map(({ name }) => name)
  expect(await names(['/var/lib/claude/.claude.json', '/var/lib/claude/settings.json'])).toEqual([
    'etc/claude-code/CLAUDE.md',
  ])
  expect((await installed(plan, [], true))[1]?.owner).toEqual({ gid: 0, uid: 0 })
})

it('has a link where what it is told belongs into a home that others have too', async () => {
  const written = await installed(await planned('codex', ['openai']), [])
  expect(written.map(({ linkTo, name }) => [name, linkTo])).toEqual([
    ['etc/codex/AGENTS.md', undefined],
    ['var/lib/codex/AGENTS.md', '/etc/codex/AGENTS.md'],
  ])
})

it('has what it is told in its command line where it reads no file', async () => {
  const plan = await planned('codex', ['openai'], 'none')
  if (!plan.program) throw new Error('it is no program')
  const program = { ...plan.program, command: (context: string) => [context] }
  expect(withContext({ ...plan, program }, undefined).command?.[0]).toMatch(/^# This container\n/)
  expect(await installed(plan, ['/var/lib/codex/AGENTS.md'])).toEqual([])
})

it('starts with a login of an earlier run, and with none says all ways to one', async () => {
  const plan = await planned('claude', [])
  expect(await installed(plan, ['/var/lib/claude/.credentials.json'])).not.toEqual([])
  await expect(installed(plan, [])).rejects.toMatchObject({
    code: 'GRANT_MISSING',
    message: 'Claude Code has no credential: there is no grant claude or anthropic, so nothing was started.',
    suggestions: [
      'moat grant claude',
      'moat grant anthropic',
      expect.stringMatching(/^moat claude --login /),
      expect.stringMatching(/^moat claude --import /),
    ],
  })
})
