// Agents that list each other reach each other's URLs from inside their containers; no others do, and each is told why.
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { PolicyMode } from '../../../src/egress/policy.js'
import { connectEngine } from '../../../src/engine/connect-engine.js'
import type { AgentView } from '../../../src/routing/agent-view.js'
import { Sandbox } from '../../helpers/sandbox.js'

let sandbox: Sandbox
let urls: Record<string, string>

const peers = (policy: PolicyMode, ...names: string[]) => `network: {policy: ${policy}, peers: [${names.join(', ')}]}\n`

/** What moat itself runs in this container, as root, must not heed: else an agent would be root there by its moat.yaml. */
const hostile = 'env: {LD_PRELOAD: /workspace/none.so, PATH: "/workspace:/usr/local/bin:/usr/bin:/bin"}\n'

beforeAll(async () => {
  sandbox = new Sandbox()
  // The first does not know the hosts of the others when it starts.
  const started: AgentView[] = []
  for (const directory of [
    sandbox.workspace('shop', { web: 3000 }, `${peers('strict', 'checkout', 'lonely', 'absent')}${hostile}`),
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
  const { stdout } = await sandbox.inside(agent, 'node', '-e', code, url ?? '', accept)
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
  const { stdout } = await sandbox.inside('lonely', 'node', '-e', code)
  expect(stdout).toMatch(/^403 \{"detail":"This agent does not list the other one under network\.peers/)
})

it('runs what tells of names with nothing that an agent may have chosen', async () => {
  const engine = await connectEngine({ moatHome: sandbox.home })
  const shop = (await engine.listAgents()).agents.find(({ name }) => name === 'shop')
  const environment = async (user: 'root' | undefined) => {
    const spec = { command: ['/bin/sh', '-c', 'export -p; id -u'], tty: false, ...(user && { user }) }
    const session = await engine.sessions.exec(shop?.containerId ?? '', spec)
    session.stdin.end()
    session.output.stderr.resume()
    return text(session.output.stdout)
  }
  expect(await environment(undefined)).toContain('/workspace')
  const asRoot = await environment('root')
  expect(asRoot).not.toMatch(/workspace:|none\.so|MOAT_RUN|NODE_VERSION/)
  expect(asRoot).toMatch(/^0$/m)
})

it('keeps from a peer what acts on an agent, and knows who is not there', async () => {
  expect(await ask('shop', `${plain(urls['web.checkout'])}/_moat/index.json`)).toContain('403 not_your_agent')
  expect(await ask('shop', `${plain(urls['web.checkout'])}//_moat/x`)).toContain('403 not_your_agent')
  expect(await ask('shop', plain(urls['web.shop']).replace('web.shop', 'absent'))).toContain('404 unknown_host')
  // The system knows of no such name, or has nobody to ask.
  expect(await ask('client', plain(urls['web.shop']))).toMatch(/^failed: (ENOTFOUND|EAI_AGAIN)$/)
})
