// Any text as a moat.yaml: read whole, or refused in one error that says where; and what it declares stays below its own name.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { registerEndpoints } from '../../../src/agents/plan/register-endpoints.js'
import { readMoatYaml } from '../../../src/config/moat-yaml.js'
import { checkAll, throwAll } from '../../../src/config/problems.js'
import type { DeclaredEndpoint } from '../../../src/endpoints/contract.js'
import { http, registerHttp } from '../../../src/endpoints/http.js'
import type { EndpointPlugins } from '../../../src/endpoints/plugin-hooks.js'
import { MoatError } from '../../../src/errors.js'
import { planImage } from '../../../src/images/plan-image.js'
import type { Agent } from '../../../src/routing/agent.js'
import { hostsOf } from '../../../src/routing/hosts-of-table.js'
import { routeTable } from '../../../src/routing/route-table.js'
import { fuzzing, isReadable, oddTexts, patience } from '../../helpers/fuzz.js'

let directory: string
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'moat-fuzz-'))
})
afterAll(() => rmSync(directory, { force: true, recursive: true }))

const plugins: EndpointPlugins = {
  agentGone: async () => {},
  endpointTypes: async () => [{ plugin: 'moat-cli', result: [http as never] }],
  registerEndpoints: async ({ endpoints, literal }) => [
    {
      plugin: 'moat-cli',
      result: await Promise.all(
        endpoints.map((one) =>
          registerHttp(one as DeclaredEndpoint<Parameters<typeof registerHttp>[0]['options']>, literal),
        ),
      ),
    },
  ],
}

/** Keys of the file, of its mappings and of endpoints, right ones and near ones. */
const keys = [
  ...['name', 'nmae', 'dependencies', 'base_image', 'ports', 'command', 'env', 'mounts', 'container', 'hooks', 'stdin'],
  ...[
    'memory',
    'cpus',
    'dns',
    'pre_run',
    'web',
    'api',
    'A_B',
    'port',
    'type',
    'protocol',
    'path',
    'headers',
    'request',
  ],
  ...['Host', 'X-Moat-Page', 'Accept', 'default', 'grants', 'network', 'version', 'services', '<<'],
]
const scalar = fc.oneof(
  fc.constantFrom(...oddTexts.filter((text) => text.length < 100)),
  fc.constantFrom(
    '3000',
    '8080',
    'http',
    'https',
    'h2c',
    'static',
    'node@22',
    'python@3.12',
    'git',
    './a:/a:ro',
    'true',
    '~',
  ),
  fc.constantFrom(
    '3000:3000',
    '1.10',
    '0o17',
    '99999',
    '-1',
    '!!binary aGk=',
    '&a x',
    '*a',
    '|',
    '>-',
    '"\\u0000"',
    '{',
    ']',
    '# x',
  ),
)
const { document } = fc.letrec<{ document: string; inner: string; value: string }>((tie) => ({
  document: fc.array(fc.tuple(fc.constantFrom(...keys), tie('value')), { maxLength: 6 }).map(asLines),
  inner: fc
    .array(fc.tuple(fc.constantFrom(...keys), tie('value')), { maxLength: 3, minLength: 1 })
    .map((entries) => `{${entries.map(([key, value]) => `${key}: ${value}`).join(', ')}}`),
  value: fc.oneof(
    { depthSize: 'small', maxDepth: 2 },
    scalar,
    scalar.map((text) => JSON.stringify(text)),
    tie('inner'),
    fc.array(tie('value'), { maxLength: 3 }).map((all) => `[${all.join(', ')}]`),
  ),
}))

function asLines(entries: [string, string][]): string {
  return entries.map(([key, value]) => `${key}: ${value}`).join('\n')
}

const right = `name: app
dependencies: [node@22, git]
ports:
  web: 3000
  api: {port: 8080, protocol: https, path: /api, headers: {request: {Host: "localhost:1"}, response: {X-A: b}}}
command: ["npm", "start"]
env: {KEY: value, N: 1.10}
container: {memory: 4096, cpus: 2}
hooks: {post_build: npm ci}
`
/** Some characters of a file that is right replaced, as by a slip of the hand or of an editor. */
const slipped = fc
  .array(fc.tuple(fc.nat(right.length), fc.nat(3), fc.oneof(scalar, fc.string({ maxLength: 2, unit: 'binary' }))), {
    maxLength: 3,
  })
  .map((changes) => changes.reduce((text, [at, gone, put]) => text.slice(0, at) + put + text.slice(at + gone), right))

const text = fc.oneof(
  { arbitrary: document, weight: 4 },
  { arbitrary: slipped, weight: 5 },
  fc.string({ unit: 'binary' }),
)

/** What `moat run` makes of the file before anything is created. */
async function plan(): Promise<string[]> {
  const { error, loaded } = await readMoatYaml(directory, directory)
  const agent = { name: 'app', workspace: directory }
  const [, , { endpoints, routes }] = await checkAll([
    () => throwAll(error ? [error] : []),
    () => planImage({ ...loaded.config, place: (index) => loaded.locate(['dependencies', index]) }),
    () => registerEndpoints(loaded, plugins, agent, 'localhost'),
  ])
  const published = Object.fromEntries(routes.flatMap(({ upstream }) => (upstream ? [[upstream.port, 40_000]] : [])))
  return hostsOf(
    routeTable(
      [{ ...agent, endpoints, published, routes, runId: 'run_0123456789ab', state: 'running' } as unknown as Agent],
      'localhost',
    ),
  )
}

it('is read, or refused where it is wrong, in words that can be read', patience, async () => {
  const seen = { read: 0, refused: 0 }
  await fc.assert(
    fc.asyncProperty(text, async (written) => {
      writeFileSync(join(directory, 'moat.yaml'), written)
      const hosts = await plan().catch((error: unknown) => error)
      if (Array.isArray(hosts)) {
        seen.read += 1
        return hosts.every((host: string) => /^([a-z0-9-]+\.)?app\.localhost$/.test(host))
      }
      seen.refused += 1
      if (!(hosts instanceof MoatError)) throw hosts
      const lines = hosts.message.split('\n')
      if (!['CONFIG_INVALID', 'ENDPOINT_TYPE'].includes(hosts.code)) throw hosts
      if (!isReadable(hosts.message)) throw new Error(JSON.stringify(hosts.message))
      for (const line of lines) if (!/^moat\.yaml(:\d+:\d+)?[: ]/.test(line)) throw new Error(`no place: ${line}`)
      return true
    }),
    fuzzing(),
  )
  expect(Math.min(seen.read, seen.refused)).toBeGreaterThan(500)
})
