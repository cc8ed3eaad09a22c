// What Caddy says by itself, with no supervisor to ask: word for word, as text for people and as JSON for programs.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { moatPaths } from '../../../src/config/paths.js'
import { insideAddress, linkDirectories, ownName, peerEndings } from '../../../src/routing/way-in.js'
import { type BareCaddy, startBareCaddy } from '../../helpers/bare-caddy.js'

const address = insideAddress('run_0123456789ab')

let caddy: BareCaddy
let directory: string

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'moat-answers-'))
  const paths = moatPaths({ MOAT_HOME: directory })
  const dead = { dial: 'unix/../ways/none', host: 'table.app.localhost', protocol: 'http' as const }
  caddy = await startBareCaddy(paths, [dead])
  const own = join(paths.proxy, linkDirectories.own)
  await mkdir(own, { recursive: true })
  const known = [
    ownName(address, 'app'),
    ...Object.entries({
      gone: peerEndings.absent,
      here: peerEndings['unlisted-here'],
      there: peerEndings['unlisted-there'],
    }).map(([agent, ending]) => ownName(address, agent, ending)),
  ]
  for (const name of known) await writeFile(join(own, name), '')
})
afterAll(async () => {
  await caddy.kill()
  await rm(directory, { force: true, recursive: true })
})

/** As the agent `app` asks, from inside its container. */
async function ask(url: string, headers: IncomingHttpHeaders = {}) {
  const { host, pathname } = new URL(url)
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const createConnection = () => {
      const socket = connect(caddy.settings.inside.plain)
      socket.write(`PROXY TCP6 ${address} ::1 1 80\r\n`)
      return socket
    }
    request({ createConnection, headers: { ...headers, Host: host }, path: pathname }, resolve)
      .on('error', reject)
      .end()
  })
  return { body: await text(response), headers: response.headers, status: response.statusCode }
}

const notListed = 'does not list this one under network.peers of its moat.yaml; both have to.'
const restart = 'Add this agent to network.peers in the moat.yaml of the other, and start that one again.'
const answers = [
  {
    detail: 'No running agent has this host name.',
    error: 'unknown_host',
    hint: 'moat list',
    status: 404,
    text: 'No running agent answers at web.app.localhost.\n\nTry this:\n  moat list\n',
    url: 'http://web.app.localhost/',
  },
  {
    detail: 'No running agent has this host name.',
    error: 'unknown_host',
    hint: 'moat list',
    status: 404,
    text: 'No running agent answers at gone.localhost.\n\nTry this:\n  moat list\n',
    url: 'http://gone.localhost/',
  },
  {
    detail: 'The agent runs, but nothing answers on the port of this endpoint.',
    error: 'not_listening',
    hint: 'Listen on the port that moat.yaml declares.',
    retry: '1',
    status: 502,
    text: 'The agent behind table.app.localhost runs, but nothing answers on the port of this endpoint.\n\nTry this:\n  listen on the port that moat.yaml declares\n',
    url: 'http://table.app.localhost/',
  },
  {
    detail: "The proxy's supervisor does not answer, so there is no page to show.",
    error: 'no_supervisor',
    hint: 'moat proxy status',
    retry: '1',
    status: 503,
    text: "The proxy's supervisor does not answer, so there is no page to show. Agents are reached all the same.\n\nTry this:\n  moat proxy status\n",
    url: 'http://web.app.localhost/_moat/events',
  },
  {
    detail: 'From inside a container, the proxy answers at the URLs of its own agent only.',
    error: 'not_your_agent',
    hint: 'echo $MOAT_URL',
    status: 403,
    text: 'From inside a container, the proxy answers at the URLs of its own agent only, not at web.other.localhost.\n\nTry this:\n  echo $MOAT_URL\n',
    url: 'http://web.other.localhost/',
  },
  {
    detail: `The other agent ${notListed}`,
    error: 'not_your_peer',
    hint: restart,
    status: 403,
    text: `The agent there ${notListed}\n\nTry this:\n  ${restart}\n`,
    url: 'http://web.there.localhost/',
  },
]

it.each(answers)('$error at $url', { timeout: 30_000 }, async ({ retry, text: said, url, ...fields }) => {
  const { status, ...json } = fields
  const [forPeople, forPrograms] = await Promise.all([ask(url), ask(url, { accept: 'application/json' })])
  const common = {
    'cache-control': 'no-store',
    'retry-after': retry,
    'x-content-type-options': 'nosniff',
    'x-moat-error': json.error,
  }
  const facts = (given: IncomingHttpHeaders) =>
    Object.fromEntries([...Object.keys(common), 'content-type'].map((name) => [name, given[name]]))
  expect([forPeople.status, forPeople.body]).toEqual([status, said])
  expect(facts(forPeople.headers)).toEqual({ ...common, 'content-type': 'text/plain; charset=utf-8' })
  expect([forPrograms.status, JSON.parse(forPrograms.body)]).toEqual([status, json])
  expect(facts(forPrograms.headers)).toEqual({ ...common, 'content-type': 'application/json' })
})

it('names the other agent where it is this one that does not list it', async () => {
  const { body } = await ask('http://here.localhost/')
  expect(body).toMatch(/^This agent does not list here under network\.peers of its moat\.yaml; both have to\.\n/)
})
