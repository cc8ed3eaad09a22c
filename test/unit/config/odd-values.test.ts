// Owns that a value of the wrong kind, wherever in a file of settings it stands, is named with its place and is never a defect: each
// value of a file that uses every key is replaced by each of some odd ones.
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { loadMoatYaml } from '../../../src/config/moat-yaml.js'
import { moatYamlKeys } from '../../../src/config/moat-yaml-schema.js'
import { loadSettings } from '../../../src/config/settings.js'
import { MoatError } from '../../../src/errors.js'
import { collectProviders } from '../../../src/grants/providers.js'
import { temporaryDirectory } from './temp-directory.js'

const odd = [
  null,
  true,
  5,
  -1.5,
  '',
  'odd',
  [],
  {},
  [null],
  [[]],
  [{}],
  [5, 5],
  ['a', null],
  { a: null },
  { a: { b: [null] } },
]

const moatYaml = {
  base_image: 'debian:12',
  command: ['npm', 'start'],
  container: { cpus: 2, dns: ['1.1.1.1'], memory: 512, runtime: 'runc' },
  dependencies: ['node@22'],
  discover: true,
  env: { KEY: 'value' },
  grants: ['github'],
  hooks: { post_build: ['true'], post_build_root: 'true', pre_run: 'true' },
  mounts: ['./data:/data:ro', './data:/more', { exclude: ['a'], mode: 'ro', source: './data', target: '/d' }],
  name: 'app',
  network: {
    host: [5432],
    peers: ['other'],
    policy: 'strict',
    rules: ['a.test', { 'b.test': ['allow GET /x'] }, { deny: 'c.test' }, { preset: 'npm' }],
  },
  ports: { api: { path: '/api', port: 8080 }, web: 3000 },
  secrets: { OTHER: 'env://OTHER' },
  snapshots: { disabled: false, retention: { delete_initial: true, max_count: 5 }, triggers: { disable_idle: true } },
  stdin: 'open',
  services: { postgres: 17, redis: { env: { A: 'b' }, port: 1, version: '7', wait: false }, valkey: { image: 'a:1' } },
  volumes: [{ name: 'a', readonly: true, scope: 'repository', target: '/a', type: 'volume' }],
}
/** Of the Go program. */
const others = {
  agent: 'claude',
  claude: { sync_logs: true },
  clipboard: false,
  codex: { sync_logs: true },
  gemini: { sync_logs: false },
  interactive: true,
  runtime: 'docker',
  sandbox: 'none',
  tracing: { disable_exec: true },
  version: '1.0.0',
  workspace: { mode: 'bind' },
}
const configYaml = {
  approvals: { mounts: ['~/data'], never: { mounts: ['/etc'] } },
  caddy: { mirror: 'https://mirror.test' },
  network: { policy: 'strict' },
  proxy: { domain: 'localhost', port: 8080 },
  snapshots: { disabled: false, retention: 5 },
}
const provider = {
  mine: {
    allow: ['a.test'],
    check: { headers: { Accept: 'x' }, refused: [401], url: 'https://a.test/me', who: 'login' },
    container: { env: { KEY: '{placeholder:20}' }, files: { rc: 'x' }, git: { 'user.name': 'x' } },
    inject: [
      { headers: { 'X-Key': '{token}' }, hosts: ['a.test'], paths: ['/x'], ports: [443], query: { k: '{token}' } },
    ],
    title: 'Mine',
    value: { command: ['op'], env: ['KEY'], fields: ['a'], hint: 'x', url: 'https://a.test' },
  },
}

/** The file with one value replaced, for each value in it and each odd one. */
function* variants(value: unknown, put: (one: unknown) => unknown = (one) => one): Generator<unknown> {
  for (const one of odd) yield put(one)
  if (typeof value !== 'object' || value === null) return
  for (const [key, inner] of Object.entries(value)) {
    const copy = (one: unknown) => (Array.isArray(value) ? value.with(Number(key), one) : { ...value, [key]: one })
    yield* variants(inner, (one) => put(copy(one)))
  }
}

let directory: string
beforeEach(async () => {
  directory = await temporaryDirectory()
  await mkdir(join(directory, 'data'))
})

async function check(file: string, whole: object, load: () => Promise<unknown>): Promise<void> {
  await mkdir(join(directory, file, '..'), { recursive: true })
  let refused = 0
  for (const variant of variants(whole)) {
    // JSON is YAML.
    await writeFile(join(directory, file), JSON.stringify(variant))
    const error = await load().then(
      () => undefined,
      (caught: unknown) => caught,
    )
    if (error === undefined) continue
    refused += 1
    const isClear = error instanceof MoatError && error.message.split('\n').every((line) => /:\d+:\d+: /.test(line))
    if (!isClear) throw new Error(`${JSON.stringify(variant)}: ${error instanceof Error ? error.stack : error}`)
  }
  expect(refused).toBeGreaterThan(100)
}

describe('a value of the wrong kind', () => {
  it('in moat.yaml', async () => {
    expect(Object.keys(moatYaml).toSorted()).toEqual([...moatYamlKeys['']].toSorted())
    await check('moat.yaml', { ...moatYaml, ...others }, () => loadMoatYaml(directory, directory))
    // Some thousand files: 10 s of a processor that is its own.
  }, 120_000)

  it('in config.yaml', () => check('config.yaml', configYaml, () => loadSettings(join(directory, 'config.yaml'))))

  it('in a file of providers', () =>
    check('providers/mine.yaml', provider, () =>
      collectProviders({ directory: join(directory, 'providers'), plugins: async () => [] }),
    ))
})
