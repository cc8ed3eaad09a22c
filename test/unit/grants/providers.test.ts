// Owns the list of providers: moat's own, the user's and plugins', and what is said of those that are wrong.
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { containerParts } from '../../../src/grants/container-parts.js'
import { fillProvider } from '../../../src/grants/fill-provider.js'
import { injectionsOf } from '../../../src/grants/grant.js'
import { inject, injectionFor } from '../../../src/grants/injection.js'
import { pathMatches } from '../../../src/grants/path-matches.js'
import type { GrantProvider } from '../../../src/grants/provider.js'
import { collectProviders, findProvider } from '../../../src/grants/providers.js'
import { placeOfUrl } from '../../../src/grants/url-place.js'
import { caught } from '../config/caught.js'
import { temporaryDirectory } from '../config/temp-directory.js'
import { sampleGrant } from './sample-grant.js'

let directory: string
beforeEach(async () => {
  directory = join(await temporaryDirectory(), 'providers')
})

const none = async () => []
const collect = (plugins: () => Promise<{ plugin: string; result: unknown }[]> = none) =>
  collectProviders({ directory, plugins })
async function file(text: string, name = 'mine.yaml') {
  await mkdir(directory, { recursive: true })
  await writeFile(join(directory, name), text)
}
async function builtIn(name: string, choices: Parameters<typeof fillProvider>[1] = {}) {
  const { provider } = findProvider(await collect(), name)
  return sampleGrant({ name, provider: fillProvider(provider, choices) })
}

describe('those of moat', () => {
  it('are all there', async () => {
    expect([...(await collect()).keys()]).toEqual([
      'anthropic',
      'aws',
      'claude',
      'gemini',
      'github',
      'gitlab',
      'huggingface',
      'npm',
      'openai',
      'pypi',
    ])
  })

  it('have no open places once they are filled, and check where they give', async () => {
    for (const { provider } of (await collect()).values()) {
      const grant = sampleGrant({ name: provider.name, provider: fillProvider(provider) })
      const secret = { AccessKeyId: 'a', SecretAccessKey: 'b', SessionToken: 'c', token: 'd' }
      const parts = containerParts([provider.reveals ? { grant, secret } : { grant }])
      expect(JSON.stringify([grant.provider.inject, grant.provider.check, parts])).not.toMatch(/\{(?!token)\w+[:}]/)
      const place = grant.provider.check && placeOfUrl(grant.provider.check.url)
      if (!place) continue
      const matching = injectionsOf(grant).filter(
        ({ hosts, paths, ports }) =>
          hosts.includes(place.host) && ports.includes(place.port) && pathMatches(paths, place.path),
      )
      expect([provider.name, matching.length]).toEqual([provider.name, 1])
    }
  })

  it('give GitHub its value where git and the API are, and on no other page of it', async () => {
    const [api, git] = injectionsOf(await builtIn('github'))
    expect(api?.hosts).toContain('api.github.com')
    expect(git?.place).toEqual([{ kind: 'basic', username: 'x-access-token' }])
    const given = (path: string) => pathMatches(git?.paths, path)
    expect(given('/me/app.git/info/refs?service=git-upload-pack')).toBe(true)
    expect(given('/me/app/git-receive-pack')).toBe(true)
    expect(given('/me/app.git/info/lfs/objects/batch')).toBe(true)
    for (const path of [
      '/',
      '/me/app',
      '/me/app/#/../git-receive-pack',
      '/me/app.git/info/refs#/../../x',
      '/login/oauth/authorize',
      '/me/app/raw/main/x',
      '/a/b/c/info/refs',
    ])
      expect([path, given(path)]).toEqual([path, false])
  })

  const header = (name: string, value: string) => ({ headers: { [name]: value }, query: {} })
  const basic = (text: string) => header('authorization', `Basic ${Buffer.from(text).toString('base64')}`)
  const bearer = header('authorization', 'Bearer the-value')
  const requests: [provider: string, request: string, given: unknown][] = [
    ['anthropic', 'api.anthropic.com/v1/messages', header('x-api-key', 'the-value')],
    ['anthropic', 'console.anthropic.com/v1/messages', undefined],
    ['aws', 'sts.amazonaws.com/', undefined],
    ['claude', 'api.anthropic.com/v1/messages', bearer],
    ['claude', 'claude.ai/api', undefined],
    [
      'gemini',
      'generativelanguage.googleapis.com/v1beta/models/x:streamGenerateContent',
      header('x-goog-api-key', 'the-value'),
    ],
    ['gemini', 'storage.googleapis.com/x', undefined],
    ['github', 'api.github.com/graphql', bearer],
    ['github', 'uploads.github.com/repos/a/b/releases/1/assets', bearer],
    ['github', 'github.com/a/b.git/info/refs?service=git-upload-pack', basic('x-access-token:the-value')],
    ['github', 'gist.github.com/x', undefined],
    ['github', 'codeload.github.com/a/b/zip', undefined],
    ['gitlab', 'gitlab.com/api/v4/user', bearer],
    ['gitlab', 'gitlab.com/a/b/c.git/git-receive-pack', basic('oauth2:the-value')],
    ['gitlab', 'gitlab.com/users/sign_in', undefined],
    ['huggingface', 'huggingface.co/api/whoami-v2', bearer],
    ['huggingface', 'router.huggingface.co/v1/chat/completions', bearer],
    ['huggingface', 'cdn-lfs.huggingface.co/x', undefined],
    ['npm', 'registry.npmjs.org/@acme%2fthing', bearer],
    ['openai', 'api.openai.com/v1/responses', bearer],
    ['openai', 'platform.openai.com/x', undefined],
    ['pypi', 'upload.pypi.org/legacy/', basic('__token__:the-value')],
    ['pypi', 'pypi.org/simple/thing/', undefined],
  ]
  it.each(requests)('have %s asked at %s', async (name, request, given) => {
    const { host, pathname, port, search } = new URL(`https://${request}`)
    const asked = { host, path: `${pathname}${search}`, port: Number(port || 443) }
    const injection = injectionFor(injectionsOf(await builtIn(name)), asked)
    expect(injection && inject(injection, { token: 'the-value' })).toEqual(given)
    // Not over plain HTTP, nor at a port beside it.
    for (const other of [80, 8443])
      expect(injectionFor(injectionsOf(await builtIn(name)), { ...asked, port: other })).toBeUndefined()
  })

  it('take out what the agent itself has put where other credentials of the service may stand', async () => {
    const removed = async (name: string) =>
      injectionsOf(await builtIn(name)).map(({ remove, removeQuery }) => [remove, removeQuery])
    expect(await removed('gemini')).toEqual([[['authorization'], ['key']]])
    expect(await removed('anthropic')).toEqual([[['authorization'], []]])
    expect(await removed('claude')).toEqual([[['x-api-key'], []]])
    expect((await removed('gitlab'))[0]).toEqual([['private-token', 'job-token'], []])
  })

  it('write what npm reads for other registries and scopes', async () => {
    const usual = containerParts([{ grant: await builtIn('npm') }])
    expect(usual.files).toEqual([
      {
        path: '/usr/local/share/moat/grants/npm/npmrc',
        text: expect.stringMatching(/^\/\/registry\.npmjs\.org\/:_authToken=npm_\w{36}\n$/),
      },
    ])
    expect(usual.env.NPM_CONFIG_GLOBALCONFIG).toBe('/usr/local/share/moat/grants/npm/npmrc')
    const choices = { host: { host: 'npm.acme.test', port: 8443 }, scopes: ['@acme', '@other'] }
    const acme = await builtIn('npm', choices)
    expect(injectionsOf(acme)).toMatchObject([{ hosts: ['npm.acme.test'], ports: [8443] }])
    // One file, for npm reads one.
    const both = containerParts([{ grant: await builtIn('npm') }, { grant: { ...acme, name: 'acme-npm' } }])
    expect(both.files).toHaveLength(1)
    expect(both.files[0]?.text.split('\n')).toEqual([
      expect.stringContaining('//registry.npmjs.org/:_authToken='),
      expect.stringContaining('//npm.acme.test:8443/:_authToken='),
      '@acme:registry=https://npm.acme.test:8443/',
      '@other:registry=https://npm.acme.test:8443/',
      '',
    ])
  })

  it('have placeholders of the right shape', async () => {
    const parts = containerParts([{ grant: await builtIn('github') }, { grant: await builtIn('anthropic') }])
    expect(parts.env.GITHUB_TOKEN).toMatch(/^ghp_[A-Za-z0-9]{36}$/)
    expect(parts.env.ANTHROPIC_API_KEY).toMatch(/^sk-ant-api03-[A-Za-z0-9]{95}$/)
    expect(parts.git).toEqual([['url.https://github.com/.insteadOf', 'git@github.com:']])
  })

  it('reveal a value only when it is theirs to reveal', async () => {
    const aws = await builtIn('aws')
    const secret = { AccessKeyId: 'ASIA1', SecretAccessKey: 'b', SessionToken: 'c' }
    expect(containerParts([{ grant: aws, secret }]).files[0]?.text).toContain('aws_access_key_id = ASIA1\n')
    expect(injectionsOf(aws)).toEqual([])
  })
})

const own = `my-api:
  title: My API
  inject:
    - hosts: [api.my.test]
      headers: {X-Api-Key: '{token}'}
`

it('takes those of the user and of plugins', async () => {
  await file(own)
  await file('', 'empty.yml')
  await file('not read', 'notes.txt')
  const theirs: GrantProvider = { inject: [{ basic: 'u', hosts: ['x.test'] }], name: 'theirs', title: 'Theirs' }
  const all = await collect(async () => [{ plugin: 'moat-plugin-x', result: [theirs] }])
  expect(all.get('my-api')?.origin).toMatch(/mine\.yaml$/)
  expect(all.get('theirs')).toEqual({ origin: 'plugin moat-plugin-x', provider: theirs })
})

describe('says where a file is wrong', () => {
  const wrong: [string, string, string][] = [
    ['an unknown key', own.replace('title', 'titel'), '2:3: unknown key "titel" in "my-api"; did you mean "title"?'],
    [
      'an unknown key of a rule',
      own.replace('headers', 'header'),
      '5:7: unknown key "header" in "my-api.inject[0]"; did you mean "headers"?',
    ],
    ['no title', own.replace(/ {2}title.*\n/, ''), '2:3: "my-api.title" is missing; it must be printable text'],
    ['no rules', 'my-api:\n  title: My API\n', '2:3: "my-api.inject" is missing; it must be a list'],
    [
      'a pattern for a host',
      own.replace('api.my.test', '"*.my.test"'),
      '4:15: "my-api.inject[0].hosts[0]" must be the name of a host, such as api.example.com, not "*.my.test"',
    ],
    [
      'an address',
      own.replace('api.my.test', '10.0.0.1'),
      '4:15: "my-api.inject[0].hosts[0]" must be the name of a host, such as api.example.com, not "10.0.0.1"',
    ],
    [
      'a host of moat',
      own.replace('api.my.test', 'a.localhost'),
      '4:15: "my-api.inject[0].hosts[0]" must be the name of a host, such as api.example.com, not "a.localhost"',
    ],
    [
      'nothing that is set',
      own.replace(/ {6}headers.*\n/, ''),
      '4:7: "my-api.inject[0]" sets nothing: give it headers, basic or query',
    ],
    [
      'a header without the value',
      own.replace("'{token}'", 'abc'),
      '5:28: "my-api.inject[0].headers.X-Api-Key" must be printable text with {token} in it, not "abc"',
    ],
    [
      'a header of the connection',
      own.replace('X-Api-Key', 'Host'),
      '5:17: "Host" is not the name of a header that a grant can set',
    ],
    [
      'two lines',
      own.replace("'{token}'", '"{token}\\nX: 1"'),
      '5:28: "my-api.inject[0].headers.X-Api-Key" must be printable text with {token} in it, not "{token}\\nX: 1"',
    ],
    [
      'a check elsewhere',
      `${own}  check: {url: 'https://evil.test/'}\n`,
      '6:16: "my-api.check.url" must be at one of the hosts under "inject"',
    ],
    [
      'a check in the clear',
      `${own}  check: {url: 'http://api.my.test/'}\n`,
      '6:16: "my-api.check.url" must be an https URL, not "http://api.my.test/"',
    ],
    ['the name of a command', own.replace('my-api', 'list'), '1:1: "list" is the name of a command of moat grant'],
    [
      'no name',
      own.replace('my-api', 'My_Api'),
      '1:1: "My_Api" is not a valid name for a provider: use lowercase letters, digits and hyphens',
    ],
    ['a list', '- a', '1:1: the file must be a mapping of names to providers'],
  ]
  it.each(wrong)('%s', async (_, text, message) => {
    await file(text)
    const error = await caught(collect)
    expect(error.code).toBe('CONFIG_INVALID')
    expect(error.message.split('\n')).toContain(`${join(directory, 'mine.yaml')}:${message}`)
  })
})

describe('names who', () => {
  it.each([
    ['declares no list', 'x', /Plugin p declares .*: it must return a list/],
    ['has no name', [{ title: 'x' }], /the name undefined is not a DNS label/],
    ['has a name of a command', [{ inject: [], name: 'revoke', title: 'x' }], /name of a command/],
    [
      'is wrong',
      [{ inject: [{ basic: 'u', hosts: ['*.test'] }], name: 'x', title: 'x' }],
      /of x, inject\.0\.hosts\.0 must be the name of a host/,
    ],
    ['has nothing', [null], /the name undefined/],
  ])('%s', async (_, result, message) => {
    const error = await caught(() => collect(async () => [{ plugin: 'p', result }]))
    expect(error).toMatchObject({ code: 'PLUGIN_FAILED', message: expect.stringMatching(message) })
  })

  it('describes what another describes already', async () => {
    await file(own.replace('my-api', 'github'))
    expect(await caught(collect)).toMatchObject({
      code: 'GRANT_PROVIDER',
      message: expect.stringMatching(/^Both moat and .*mine\.yaml describe the provider github\.$/),
    })
  })
})

it('suggests the nearest, and a provider of one’s own', async () => {
  const all = await collect()
  const error = await caught(() => findProvider(all, 'githib'))
  expect(error.suggestions).toEqual([
    'moat grant github',
    'moat grant providers',
    'moat grant githib --host api.example.com --header X-Api-Key',
  ])
})
