// Owns what a run in a clone is planned with: the whole of a repository, and nothing of the workspace.
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { assertApartFromWorkspace } from '../../../../src/agents/plan/plan-clone.js'
import { planGit } from '../../../../src/agents/plan/plan-git.js'
import { planVolumes } from '../../../../src/volumes/plan-volumes.js'
import { caught } from '../../config/caught.js'

let directory: string
let app: string

beforeEach(() => {
  directory = realpathSync(mkdtempSync(join(tmpdir(), 'moat-plan-')))
  vi.stubEnv('GIT_CONFIG_GLOBAL', '/dev/null')
  vi.stubEnv('GIT_CONFIG_NOSYSTEM', '1')
  vi.stubEnv('MOAT_HOME', join(directory, 'h'))
  app = join(directory, 'app')
  mkdirSync(join(app, 'sub'), { recursive: true })
  execFileSync('git', ['init', '--quiet', '--initial-branch=main', app])
})
afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(directory, { force: true, recursive: true })
})

it('has the repository, and neither a checkout nor a name of the branch that happens to be checked out', async () => {
  const planned = await planGit(app, {})
  expect(planned).toMatchObject({ clone: { repository: { commonDir: join(app, '.git') } }, git: { branch: 'main' } })
  expect(planned.branch).toBeUndefined()
  expect(planned.checkout ?? planned.mainCheckout).toBeUndefined()
  expect(await planGit(app, { branch: 'fix' })).toMatchObject({
    branch: 'fix',
    clone: { branch: 'fix' },
    git: { branch: 'fix' },
  })
  expect((await planGit(app, undefined)).mainCheckout).toMatchObject({ root: app })
})

it('is of a whole repository', async () => {
  expect(await caught(() => planGit(join(app, 'sub'), {}))).toMatchObject({
    code: 'USAGE',
    suggestions: [`moat run --clone ${app}`, `moat run ${join(app, 'sub')}`],
  })
  const bare = join(directory, 'bare.git')
  execFileSync('git', ['init', '--quiet', '--bare', bare])
  expect(await caught(() => planGit(bare, {}))).toMatchObject({ code: 'BARE_REPOSITORY' })
  const none = join(directory, 'none')
  mkdirSync(none)
  writeFileSync(join(none, 'x'), '')
  expect(await caught(() => planGit(none, {}))).toMatchObject({ code: 'NOT_A_REPOSITORY' })
})

it('mounts and serves nothing of the workspace by moat.yaml', async () => {
  const planned = await planGit(app, {})
  const judge = (source: string, served = false) =>
    caught(() =>
      assertApartFromWorkspace(planned, {
        displayFile: 'moat.yaml',
        mounts: source === '' ? [] : [{ readOnly: true, source, target: '/data' }],
        routes: served ? [{ endpoint: 'web', files: { browse: false, root: '.' } }] : [],
        workspace: app,
      }),
    )
  for (const source of [join(app, 'sub'), app, directory])
    expect(await judge(source)).toMatchObject({ code: 'CONFIG_INVALID' })
  expect((await judge('', true)).message).toContain('the endpoint web serves files of the workspace')
  const fine = { displayFile: 'moat.yaml', mounts: [{ readOnly: true, source: '/srv', target: '/x' }], routes: [] }
  expect(() => assertApartFromWorkspace(planned, { ...fine, workspace: app })).not.toThrow()
  const itself = { readOnly: false, source: app, target: '/workspace' }
  expect(() => assertApartFromWorkspace(planned, { ...fine, mounts: [itself], workspace: app })).not.toThrow()
})

it('has volumes of its own, but for those of the repository', () => {
  const declared = (['workspace', 'repository'] as const).map((scope) => ({
    name: scope,
    readOnly: false,
    scope,
    target: '/x',
  }))
  const names = planVolumes(declared, { clone: 'one', commonDir: '/app/.git', workspace: '/app' }).map(
    ({ name }) => name,
  )
  expect(names).toEqual(['workspace.one', 'repository'])
})
