// Owns what `moat network check` answers, and in which words.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { checkUrl, networkOf } from '../../../../src/agents/network/check-network.js'
import { moatPaths } from '../../../../src/config/paths.js'
import { describeCheck } from '../../../../src/terminal/format-network.js'
import { temporaryDirectory } from '../../config/temp-directory.js'

const moatYaml = `network:
  policy: strict
  rules:
    - a.test
    - api.test: [allow GET /x/**]
    - db.test:5432
    - deny: b.test
`

async function policyOf(text = moatYaml) {
  const directory = await temporaryDirectory()
  await writeFile(join(directory, 'moat.yaml'), text)
  const network = await networkOf(directory, async () => [], moatPaths({ MOAT_HOME: join(directory, 'home') }))
  return { directory, network }
}

it.each([
  ['https://a.test/b', 'GET', 'allowed: GET a.test/b, by a.test (moat.yaml:4:7)'],
  ['a.test', 'GET', 'allowed: GET a.test/, by a.test (moat.yaml:4:7)'],
  [
    'https://api.test/x?y',
    'GET',
    'allowed: GET api.test/x?y, by allow GET /x/** (moat.yaml:5:18); the connection is opened to see this',
  ],
  [
    'https://api.test/x/../y',
    'GET',
    'refused: GET api.test/x/../y, no rule for this path, of those at api.test (moat.yaml:5:7)',
  ],
  [
    'https://api.test/x',
    'post',
    'refused: POST api.test/x, no rule for this path, of those at api.test (moat.yaml:5:7)',
  ],
  ['db.test:5432', 'GET', 'allowed: GET db.test:5432/, by db.test:5432 (moat.yaml:6:7)'],
  ['http://b.test:8080/', 'GET', 'refused: GET b.test:8080/, by deny: b.test (moat.yaml:7:7)'],
  ['wss://c.test/', 'GET', 'refused: GET c.test/, no rule'],
  ['https://[2001:db8::1]/', 'GET', 'refused: GET [2001:db8::1]/, no rule'],
])('%s by %s', async (url, method, message) => {
  const { directory, network } = await policyOf()
  expect(describeCheck(checkUrl(network, url, method)).replaceAll(`${directory}/`, '')).toBe(message)
})

it('says that nothing denies it where everything is allowed', async () => {
  const { network } = await policyOf('name: a\n')
  expect(describeCheck(checkUrl(network, 'c.test', 'GET'))).toBe(
    'allowed: GET c.test/, no rule denies it, and the policy is permissive',
  )
})

it('names what would allow it to an agent that runs, and no more than was asked', async () => {
  const { network } = await policyOf()
  const allow = (url: string) => checkUrl({ ...network, agent: 'my-app' }, url, 'GET').allow
  expect(allow('c.test')).toBe('moat network allow my-app c.test')
  expect(allow('https://api.test/y?z')).toBe('moat network allow my-app "api.test GET /y"')
  expect([allow('a.test'), checkUrl(network, 'c.test', 'GET').allow]).toEqual([undefined, undefined])
})

it.each(['https://', 'ftp://a.test/', 'a.test:http', ''])('refuses %j', async (url) => {
  const { network } = await policyOf()
  expect(() => checkUrl(network, url, 'GET')).toThrow(expect.objectContaining({ code: 'USAGE' }))
})
