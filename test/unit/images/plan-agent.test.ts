// What moat.yaml says of the image and of hooks.pre_run, as an agent's plan has it.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { planAgent } from '../../../src/agents/plan/plan-agent.js'

const noPlugins = { agentGone: async () => {}, endpointTypes: async () => [], registerEndpoints: async () => [] }
let path: string
beforeEach(async () => {
  path = await mkdtemp(join(tmpdir(), 'moat-plan-'))
})
afterEach(() => rm(path, { force: true, recursive: true }))

async function plan(moatYaml: string, command?: string[]) {
  await writeFile(join(path, 'moat.yaml'), moatYaml)
  return planAgent({ env: {}, mounts: [], path, ...(command && { command }) }, noPlugins, 'localhost')
}

it('has the image with its hooks, and the command after hooks.pre_run', async () => {
  const text =
    'dependencies: [node, git]\nhooks: {post_build: a, post_build_root: [b, c], pre_run: d}\ncommand: [npm, start]'
  const { command, image } = await plan(text)
  expect(image).toMatchObject({
    base: 'node:22-slim',
    debianPackages: ['git'],
    hooks: { postBuild: ['a'], postBuildRoot: ['b', 'c'] },
  })
  expect(command).toEqual(['sh', '-c', 'sh -c "$1" || exit; shift; exec "$@"', 'sh', 'd', 'npm', 'start'])
  expect((await plan(text, ['npm', 'test'])).command?.slice(-2)).toEqual(['npm', 'test'])
})

it('refuses hooks.pre_run without a command to run before', async () => {
  await expect(plan('hooks:\n  pre_run: npm ci')).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringMatching(/moat\.yaml:2:12: "hooks\.pre_run" needs a command/),
  })
})

it('says where an unknown dependency stands', async () => {
  await expect(plan('dependencies:\n  - node\n  - gti')).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringMatching(/moat\.yaml:3:5: "gti" is not a dependency that moat knows; did you mean "git"\?$/),
  })
})
