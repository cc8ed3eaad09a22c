// Agents that list each other reach each other's URLs from inside their containers; no others do, and each is told why.
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { PolicyMode } from '../../../src/egress/policy.js'
import type { AgentView } from '../../../src/routing/agent-view.js'
import { Sandbox } from '../../helpers/sandbox.js'

let sandbox: Sandbox
let urls: Record<string, string>

const peers = (policy: PolicyMode, ...names: string[]) => `network: {policy: ${policy}, peers: [${names.join(', ')}]}\n`

beforeAll(async () => {
  sandbox = new Sandbox()
  // The first does not know the hosts of the others when it starts.
  const started: AgentView[] = []
  for (const directory of [
    sandbox.workspace('shop', { web: 3000 }, peers('strict', 'checkout', 'lonely', 'absent')),
    sandbox.workspace('checkout', { api: 4000, web: 3000 }, peers('permissive', 'shop')),
    sandbox.workspace('lonely', { web: 3000 }),
    sandbox.directory('client', {
      'moat.yaml': `name: client\ndependencies: [node@22]\ncommand: [sleep, infinity]\n${peers('strict', 'checkout')}`,
    }),
  ])
    started.push(await sandbox.json<AgentView>(['run', '-d', directory]))
  const endpoints = started.flatMap((agent) => agent.endpoints.map(({ name, url }) => [`${name}.${agent.name}`, url]))
  urls = Object.fromEntries(endpoints)
  for (const name of ['shop', 'checkout', 'lonely']) await sandbox.json(['wait', name, '--timeout', '60'])
}, 240_000)
afterAll(() => sandbox.cleanUp())

/** What Node answers in the container: the status and the body. Both schemes are served there. */
async function ask(agent: string, url: string | undefined, accept = '*/*'): Promise<string> {
  const code = `fetch(process.argv[1], {headers: {accept: process.argv[2]}})
    .then(async (r) => process.stdout.write(r.status + ' ' + (r.headers.get('x-moat-error') ?? '') + ' ' + await r.text()))
    .catch((error) => process.stdout.write('failed: ' + error.cause?.code))`
  const { stdout } = await sandbox.moat(['exec', agent, '--', 'node', '-e', code, url ?? '', accept])
  return stdout
}

const plain = (url = '') => url.replace('https:', 'http:')

it('lets each reach the URLs of the other, whichever started first, by both schemes', async () => {
  expect(await ask('shop', urls['api.checkout'])).toBe('200  checkout 4000')
  expect(await ask('shop', plain(urls['web.checkout']))).toBe('200  checkout 3000')
  expect(await ask('checkout', plain(urls['web.shop']))).toBe('200  shop 3000')
})

it('says which side does not list the other', async () => {
  expect(await ask('shop', plain(urls['web.lonely']))).toContain(
    '403 not_your_peer The agent lonely does not list this one under network.peers',
  )
  expect(await ask('client', plain(urls['api.checkout']))).toContain(
    '403 not_your_peer The agent checkout does not list this one under network.peers',
  )
  const url = new URL(plain(urls['web.shop']))
  // Its own name leads to the same place in its container; by Host it is the other that is asked for.
  const code = `require('node:http').get({host: '127.0.0.1', port: ${url.port}, headers: {accept: 'application/json', host: '${url.host}'}}, (r) => { process.stdout.write(r.statusCode + ' '); r.pipe(process.stdout) })`
  const { stdout } = await sandbox.moat(['exec', 'lonely', '--', 'node', '-e', code])
  expect(stdout).toMatch(/^403 \{"detail":"This agent does not list the other one under network\.peers/)
})

it('keeps from a peer what acts on an agent, and knows who is not there', async () => {
  expect(await ask('shop', `${plain(urls['web.checkout'])}/_moat/index.json`)).toContain('403 not_your_agent')
  expect(await ask('shop', `${plain(urls['web.checkout'])}//_moat/x`)).toContain('403 not_your_agent')
  expect(await ask('shop', plain(urls['web.shop']).replace('web.shop', 'absent'))).toContain('404 unknown_host')
  expect(await ask('client', plain(urls['web.shop']))).toBe('failed: ENOTFOUND')
})
