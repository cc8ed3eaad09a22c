// Owns making a grant of what the user says and has: where its value is looked for, and what is refused without being shown.
import { chmod, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { namedGrant, renameGrant } from '../../../src/grants/find-grant.js'
import { grantAgain } from '../../../src/grants/grant-words.js'
import { makeGrant } from '../../../src/grants/make-grant.js'
import { collectProviders } from '../../../src/grants/providers.js'
import { readGrant } from '../../../src/grants/store.js'
import { caught } from '../config/caught.js'
import { temporaryDirectory } from '../config/temp-directory.js'

let home: string
let directory: string
let notes: string[]
beforeEach(async () => {
  home = await temporaryDirectory()
  directory = join(home, 'grants')
  notes = []
})

const providers = () => collectProviders({ directory: join(home, 'providers'), plugins: async () => [] })
function make(
  word: string,
  wishes: Partial<Parameters<typeof makeGrant>[1]> = {},
  more: Partial<Parameters<typeof makeGrant>[3]> = {},
) {
  const options = {
    directory,
    env: { MOAT_KEYCHAIN: 'off', PATH: join(home, 'bin') },
    note: (line: string) => notes.push(line),
    profile: 'default',
    type: async () => undefined,
    ...more,
  }
  return makeGrant(word, { check: false, ...wishes }, providers, options)
}
const stored = (name: string, profile = 'default') => readGrant(directory, { name, profile })
const generic = { header: 'X-Api-Key', host: ['api.my.test'] }

describe('the value', () => {
  it('is that of the first variable that is set', async () => {
    const made = await make('github', {}, { env: { GH_TOKEN: 'ghp_second', PATH: '' } })
    expect((await stored('github'))?.source).toEqual({ fields: { token: 'ghp_second' }, kind: 'value' })
    expect(notes[0]).toBe('The value is that of GH_TOKEN.')
    expect(JSON.stringify(made)).not.toContain('ghp_second')
  })

  it('is what the tool of the service prints', async () => {
    await writeFile(join(home, 'gh'), '#!/bin/sh\n[ "$*" = "auth token" ] && echo gho_tool\n')
    await chmod(join(home, 'gh'), 0o755)
    await make('github', {}, { env: { PATH: `${home}:${process.env.PATH}` } })
    expect((await stored('github'))?.source).toEqual({ fields: { token: 'gho_tool' }, kind: 'value' })
  })

  it('is asked for anew each time where it ends soon', async () => {
    const json = '{"AccessKeyId":"ASIA","SecretAccessKey":"s","SessionToken":"t","Expiration":"2030-01-01T00:00:00Z"}'
    await writeFile(join(home, 'aws'), `#!/bin/sh\necho '${json}'\n`)
    await chmod(join(home, 'aws'), 0o755)
    const env = { PATH: `${home}:${process.env.PATH}` }
    await make('aws', {}, { env })
    expect((await stored('aws'))?.source).toEqual({
      command: 'aws configure export-credentials --format process',
      kind: 'command',
    })
    // A key that never ends is not what a container is to see.
    await writeFile(join(home, 'aws'), '#!/bin/sh\necho \'{"AccessKeyId":"AKIA","SecretAccessKey":"s"}\'\n')
    const error = await caught(() => make('aws', {}, { env }))
    expect(error).toMatchObject({ code: 'GRANT_VALUE', message: expect.stringContaining('no SessionToken') })
  })

  it('is typed, last of all', async () => {
    await make('openai', {}, { type: async () => ' sk-typed ' })
    expect((await stored('openai'))?.source).toEqual({ fields: { token: 'sk-typed' }, kind: 'value' })
  })

  it.each([
    [{ command: 'echo sk-1' }, { command: 'echo sk-1', kind: 'command' }],
    [{ env: 'MY_KEY' }, { kind: 'env', variable: 'MY_KEY' }],
    [{ from: 'env://MY_KEY' }, { kind: 'env', variable: 'MY_KEY' }],
    [{ input: 'sk-stdin\n' }, { fields: { token: 'sk-stdin' }, kind: 'value' }],
  ])('is where the user says: %j', async (wishes, source) => {
    await make('openai', wishes, { env: { MY_KEY: 'sk-2', OPENAI_API_KEY: 'not-this', PATH: process.env.PATH } })
    expect((await stored('openai'))?.source).toEqual(source)
  })

  it.each([
    [{ from: 'sesame-1234' }, 'USAGE'],
    [{ env: 'sesame-1234' }, 'USAGE'],
    [{ command: 'echo sesame-1234; exit 1' }, 'GRANT_VALUE'],
    [{ input: 'sesame\n1234' }, 'GRANT_VALUE'],
    [{ input: '' }, 'GRANT_VALUE'],
    [{}, 'GRANT_MISSING'],
  ])('is refused, not shown, and nothing is stored: %j', async (wishes, code) => {
    const error = await caught(() => make('openai', wishes, { env: { PATH: process.env.PATH } }))
    expect(error.code).toBe(code)
    expect(JSON.stringify(error)).not.toContain('sesame')
    expect(await stored('openai')).toBeUndefined()
  })
})

describe('a grant of one’s own', () => {
  it.each([
    [
      { ...generic, host: ['api.my.test:8443', 'B.test'] },
      [
        { headers: { 'X-Api-Key': '{token}' }, hosts: ['api.my.test'], ports: [8443] },
        { headers: { 'X-Api-Key': '{token}' }, hosts: ['b.test'], ports: [443] },
      ],
    ],
    [
      { header: 'Authorization: Token {token}', host: ['a.test'] },
      [{ headers: { Authorization: 'Token {token}' }, hosts: ['a.test'], ports: [443] }],
    ],
    [{ host: ['a.test'], query: 'key' }, [{ hosts: ['a.test'], ports: [443], query: { key: '{token}' } }]],
    [{ basic: 'robot', host: ['a.test'] }, [{ basic: 'robot', hosts: ['a.test'], ports: [443] }]],
  ])('is made of flags: %j', async (wishes, inject) => {
    await make('my-api', { ...wishes, input: 'abc', variable: ['MY_KEY'] })
    expect((await stored('my-api'))?.provider).toMatchObject({
      container: { env: { MY_KEY: '{placeholder:32}' } },
      inject,
      name: 'generic',
    })
  })

  it.each([
    [{ host: ['a.test'] }, /say with one of --header, --query and --basic/],
    [{ ...generic, host: [] }, /needs the host/],
    [{ ...generic, header: 'X-Api-Key: sesame-1234' }, /--header takes the name of a header/],
    [{ ...generic, header: 'Host' }, /--header takes/],
    [{ ...generic, header: 'X-A: {token}\r\nX-B: 1' }, /--header takes/],
    [{ ...generic, host: ['*.my.test'] }, /--host takes a host/],
    [{ ...generic, host: ['https://my.test'] }, /--host takes a host/],
    [{ ...generic, host: ['a.localhost'] }, /--host takes a host/],
    [{ ...generic, host: ['a.test:0'] }, /--host takes a host/],
    [{ ...generic, variable: ['A-B'] }, /--variable takes/],
    [{ basic: 'a:b', host: ['a.test'] }, /--basic takes a username/],
  ])('is refused: %j', async (wishes, message) => {
    const error = await caught(() => make('my-api', { ...wishes, input: 'abc' }))
    expect(error).toMatchObject({ code: 'USAGE', message: expect.stringMatching(message) })
    expect(JSON.stringify(error)).not.toContain('sesame')
  })
})

describe('a provider', () => {
  it('may be at another host, under another name, for scopes', async () => {
    await make('npm', { as: 'acme', host: ['npm.acme.test'], input: 'abc', scope: ['@acme'] })
    const acme = await stored('acme')
    expect(acme?.provider).toMatchObject({
      check: { url: 'https://npm.acme.test/-/whoami' },
      inject: [{ hosts: ['npm.acme.test'], ports: [443] }],
    })
    expect(acme?.provider.container?.files?.npmrc).toContain('@acme:registry=https://npm.acme.test/')
  })

  it.each([
    ['github', { host: ['ghe.test'] }, /always at the same hosts/],
    ['github', { header: 'X' }, /moat knows how GitHub takes its value/],
    ['github', { scope: ['@a'] }, /has no scopes/],
    ['npm', { scope: ['acme'] }, /--scope takes/],
    ['npm', { host: ['a.test', 'b.test'] }, /once/],
  ])('%s refuses %j', async (word, wishes, message) => {
    const error = await caught(() => make(word, { ...wishes, input: 'abc' }))
    expect(error).toMatchObject({ code: 'USAGE', message: expect.stringMatching(message) })
  })
})

it('tells of the key once, and of what was replaced', async () => {
  expect((await make('openai', { input: 'a1' })).replaced).toBe(false)
  expect((await make('openai', { input: 'a2' })).replaced).toBe(true)
  expect((await make('openai', { input: 'a3' }, { profile: 'work' })).replaced).toBe(false)
  expect(notes.filter((line) => line.includes('key.json'))).toHaveLength(1)
  expect((await stored('openai', 'work'))?.source).toEqual({ fields: { token: 'a3' }, kind: 'value' })
})

it('is called otherwise afterwards, but not like another', async () => {
  await make('openai', { input: 'a1' })
  await make('npm', { input: 'a2' })
  const name = { name: 'openai', profile: 'default' }
  expect(await caught(() => renameGrant(directory, name, 'npm'))).toMatchObject({ code: 'GRANT_CLASH' })
  // Nobody is told to revoke what is meant to be kept.
  expect(await caught(() => renameGrant(directory, name, 'openai'))).toMatchObject({ code: 'USAGE', suggestions: [] })
  await renameGrant(directory, name, 'ai')
  expect(await stored('openai')).toBeUndefined()
  expect((await stored('ai'))?.source).toEqual({ fields: { token: 'a1' }, kind: 'value' })
  expect(await caught(() => renameGrant(directory, name, 'x'))).toMatchObject({ code: 'GRANT_MISSING' })
})

it.each(['../key', 'My API', '', 'ssh:GitHub', 'ssh:'])('%j is no name of one', async (name) => {
  expect(await caught(async () => namedGrant(name, 'default'))).toMatchObject({ code: 'INVALID_NAME', exit: 2 })
})

describe('the command that makes it again', () => {
  it.each([
    ['openai', {}, 'default', 'moat grant openai'],
    ['openai', { as: 'ai' }, 'work', 'moat grant openai --profile work --as ai'],
    [
      'npm',
      { as: 'acme-npm', host: ['npm.acme.test'], scope: ['@acme'] },
      'default',
      'moat grant npm --as acme-npm --host npm.acme.test --scope @acme',
    ],
    [
      'my-api',
      { header: 'Authorization: Token {token}', host: ['a.my.test', 'b.my.test:8443'], variable: ['MY_KEY'] },
      'default',
      "moat grant my-api --host a.my.test --host b.my.test:8443 --header 'Authorization: Token {token}' --variable MY_KEY",
    ],
  ])('is complete: %s %j', async (word, wishes, profile, command) => {
    const { name } = await make(word, { ...wishes, input: 'value-1234' }, { profile })
    const grant = await stored(name, profile)
    expect(grant && grantAgain(grant)).toBe(command)
    expect(command).not.toContain('value')
  })

  it('is what errors show, and has the new name of one that was renamed', async () => {
    const error = await caught(() => make('my-api', { ...generic, env: 'sesame-1234' }, { profile: 'work' }))
    expect(error.suggestions).toEqual([
      'moat grant my-api --profile work --host api.my.test --header X-Api-Key --env MY_TOKEN',
    ])
    await make('openai', { input: 'a1' })
    expect(grantAgain(await renameGrant(directory, { name: 'openai', profile: 'default' }, 'ai'))).toBe(
      'moat grant openai --as ai',
    )
  })
})
