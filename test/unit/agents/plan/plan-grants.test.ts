// Owns which grants an agent is to have, of which profile, and where secrets are read.
import { realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeEach, expect, it, vi } from 'vitest'
import { planContainerGrants, readGrants } from '../../../../src/agents/container/container-grants.js'
import { planGrants } from '../../../../src/agents/plan/plan-grants.js'
import { writeGrant } from '../../../../src/grants/store.js'
import { caught } from '../../config/caught.js'
import { temporaryDirectory } from '../../config/temp-directory.js'
import { sampleGrant } from '../../grants/sample-grant.js'

beforeEach(() => {
  vi.stubEnv('MOAT_KEYCHAIN', 'off')
  vi.stubEnv('MOAT_PROFILE', '')
})

const declared = { grants: ['github', 'npm'], secrets: { A: 'env://X', B: 'op://a/b' } }

it('are those of moat.yaml and of flags, each once, of the profile that was chosen', async () => {
  const plan = await planGrants(declared, { env: { B: 'own' }, grants: ['npm', 'aws@home'], profile: 'work' })
  expect(plan.powers).toEqual([
    { name: 'github@work', own: false },
    { name: 'npm@work', own: false },
    { name: 'npm@work', own: true },
    { name: 'aws@home', own: true },
  ])
  expect(plan.grants.map(({ name, profile }) => `${name} ${profile}`)).toEqual(['github work', 'npm work', 'aws home'])
  expect(plan.secrets).toEqual([{ name: 'A', source: { kind: 'env', variable: 'X' }, text: 'env://X' }])
})

it('are of MOAT_PROFILE, else of the usual profile', async () => {
  expect((await planGrants(declared, { env: {} })).powers[0]?.name).toBe('github')
  vi.stubEnv('MOAT_PROFILE', 'work')
  expect((await planGrants(declared, { env: {} })).powers[0]?.name).toBe('github@work')
})

it.each(['', 'a@', '@b', 'a@b@c', 'A', '../x'])('is not a valid name for a grant: %j', async (text) => {
  expect(await caught(() => planGrants({ grants: [], secrets: {} }, { env: {}, grants: [text] }))).toMatchObject({
    code: 'USAGE',
  })
})

it('go into the container as placeholders, secrets as they are', async () => {
  const grants = `${await temporaryDirectory()}/grants`
  const { provider } = sampleGrant()
  const container = { env: { KEY: 'key_{placeholder:8}' }, files: { rc: 'a={placeholder:3}\n' }, git: { 'a.b': 'c' } }
  await writeGrant(grants, sampleGrant({ provider: { ...provider, container } }))
  const written: unknown[] = []
  const engine = { files: { write: async (...args: unknown[]) => void written.push(args) } } as never
  const secrets = [{ name: 'SECRET', source: { kind: 'value' as const, fields: {} }, text: '' }]
  vi.stubEnv('A_SECRET', 'two\nlines')
  const plan = await planContainerGrants(
    await readGrants([{ name: 'my-api', profile: 'default' }], { grants }),
    [...secrets, { name: 'S', source: { kind: 'env', variable: 'A_SECRET' }, text: '' }],
    { engine, paths: { agents: '/agents', controlSocket: '/none' }, runId: 'run_1' },
  )
  expect(plan.env).toEqual({ KEY: 'key_moatPlac', S: 'two\nlines' })
  expect(plan.git).toEqual([['a.b', 'c']])
  await plan.install('id')
  expect(written).toEqual([['id', '/', [{ name: 'usr/local/share/moat/grants/my-api/rc', text: 'a=moa\n' }]]])
  expect(JSON.stringify([plan, written])).not.toContain('sesame')
})

it('are refused when two are for one host, or there is none, or its value cannot be read', async () => {
  const grants = `${await temporaryDirectory()}/grants`
  const parts = { engine: { files: {} } as never, paths: { agents: '/agents', controlSocket: '/none' }, runId: 'run_1' }
  const name = (one: string) => ({ name: one, profile: 'default' })
  await writeGrant(grants, sampleGrant())
  await writeGrant(grants, sampleGrant({ name: 'other' }))
  await writeGrant(grants, sampleGrant({ name: 'gone', source: { kind: 'file', path: '/no/such' } }))
  const plan = async (...names: string[]) =>
    planContainerGrants(await readGrants(names.map(name), { grants }), [], parts)
  // Before anything is started.
  expect(await caught(() => readGrants(['my-api', 'other'].map(name), { grants }))).toMatchObject({
    code: 'GRANT_CLASH',
    message: 'The grants my-api and other are both for api.my.test, so an agent can have only one of them.',
  })
  expect(await caught(() => plan('none'))).toMatchObject({ code: 'GRANT_MISSING' })
  expect(await caught(() => plan('gone'))).toMatchObject({ code: 'GRANT_VALUE' })
})

it('a file that an agent has made a link of is another secret, which is asked about', async () => {
  const directory = await realpath(await temporaryDirectory())
  const [own, key] = [join(directory, 'own'), join(directory, 'id_rsa')]
  await writeFile(key, 'private')
  await writeFile(own, 'mine')
  const secrets = { KEY: `file://${own}` }
  const plan = async () => (await planGrants({ grants: [], secrets }, { env: {} })).secrets
  const [before] = await plan()
  expect(before).toEqual({ name: 'KEY', source: { kind: 'file', path: own }, text: `file://${own}` })
  await rm(own)
  await symlink(key, own)
  expect((await plan())[0]?.text).toBe(`file://${key}`)
  const engine = { files: {} } as never
  const read = () => planContainerGrants([], before ? [before] : [], engine)
  expect(await caught(read)).toMatchObject({ code: 'GRANT_VALUE', message: expect.stringContaining('leads elsewhere') })
})
