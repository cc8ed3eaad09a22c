// Owns what `network:` in a moat.yaml becomes, and the words and positions of what can be wrong in it.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { loadMoatYaml } from '../../../src/config/moat-yaml.js'
import { caught } from './caught.js'
import { temporaryDirectory } from './temp-directory.js'

async function load(text: string) {
  const directory = await temporaryDirectory()
  await writeFile(join(directory, 'moat.yaml'), text)
  return loadMoatYaml(directory, directory)
}

/** The line of the error, without the name of the file. */
async function errorOf(text: string): Promise<string> {
  const error = await caught(() => load(text))
  expect(error).toMatchObject({ code: 'CONFIG_INVALID', exit: 2 })
  return error.message.replaceAll('moat.yaml:', '')
}

const ruleError = (rule: string) => errorOf(`network: {rules: [${rule}]}`)

describe('network of a moat.yaml', () => {
  it('is read in all its forms, each rule with its place', async () => {
    const text = [
      'network:',
      '  policy: strict',
      '  rules:',
      '    - Packages.example.com.',
      '    - "*.githubusercontent.com"',
      '    - api.github.com: ["allow get /repos/**", "deny * /**"]',
      '    - db.example.com:5432',
      '    - deny: "*.tracking.example"',
      '    - allow: "[2001:DB8::1]:8443"',
      '    - preset: npm',
      '    - 192.0.2.7',
      '  host: [5432]',
      '  peers: [checkout]',
    ]
    const { config } = await load(text.join('\n'))
    expect(config.network).toMatchObject({ host: [5432], peers: ['checkout'], policy: 'strict' })
    const rules = config.network?.rules.flatMap((declared) => declared.rules)
    expect(rules).toEqual([
      { effect: 'allow', host: 'packages.example.com', place: 'moat.yaml:4:7', text: 'Packages.example.com.' },
      { effect: 'allow', host: '*.githubusercontent.com', place: 'moat.yaml:5:7', text: '*.githubusercontent.com' },
      {
        effect: 'allow',
        host: 'api.github.com',
        paths: [
          { effect: 'allow', method: 'GET', path: '/repos/**', place: 'moat.yaml:6:24' },
          { effect: 'deny', method: '*', path: '/**', place: 'moat.yaml:6:47' },
        ],
        place: 'moat.yaml:6:7',
        text: 'api.github.com',
      },
      { effect: 'allow', host: 'db.example.com', place: 'moat.yaml:7:7', port: 5432, text: 'db.example.com:5432' },
      { effect: 'deny', host: '*.tracking.example', place: 'moat.yaml:8:7', text: 'deny: *.tracking.example' },
      { effect: 'allow', host: '2001:db8::1', place: 'moat.yaml:9:7', port: 8443, text: '[2001:DB8::1]:8443' },
      { effect: 'allow', host: 'registry.npmjs.org', place: 'moat.yaml:10:7, preset npm', text: 'registry.npmjs.org' },
      { effect: 'allow', host: '192.0.2.7', place: 'moat.yaml:11:7', text: '192.0.2.7' },
    ])
  })

  it.each([
    [
      'network: strict',
      '1:10: "network" must be a mapping such as {policy: strict, rules: [packages.example.com]}, not "strict"',
    ],
    ['network: {polcy: strict}', '1:11: unknown key "polcy" in "network"; did you mean "policy"?'],
    ['network: {policy: closed}', '1:19: "network.policy" must be strict or permissive, not "closed"'],
    ['network: {policy: strict, policy: permissive}', '1:27: duplicate key "policy"; it is already on line 1'],
    [
      'network: {rules: a.test}',
      '1:18: "network.rules" must be a list of rules such as [packages.example.com], not "a.test"',
    ],
    ['network: {host: 5432}', '1:17: "network.host" must be a list of ports of your machine such as [5432], not 5432'],
    [
      'network: {host: ["5432"]}',
      '1:18: "network.host[0]" must be a port number from 1 to 65535 on which your machine listens, not "5432"; write it without quotes',
    ],
    [
      'network: {host: [5432, 70000]}',
      '1:24: "network.host[1]" must be a port number from 1 to 65535 on which your machine listens, not 70000',
    ],
    ['network: {host: [1, 1]}', '1:21: "network.host[1]" is already the item [0]'],
    [
      'network: {peers: [My App]}',
      '1:19: "network.peers[0]" must be a DNS label (lowercase letters, digits and hyphens, at most 63 characters), not "My App"; did you mean "my-app"?',
    ],
    ['policy: strict', '1:1: unknown key "policy"; it belongs under "network"'],
  ])('%s', async (text, message) => {
    expect(await errorOf(text)).toBe(message)
  })
})

describe('a rule', () => {
  const at = '1:19: "network.rules[0]"'
  it.each([
    [
      'https://api.test/v1/x',
      'must be a host without a scheme, not "https://api.test/v1/x"; write "api.test": ["allow * /v1/x/**"]',
    ],
    ['http://api.test:8080/', 'must be a host without a scheme, not "http://api.test:8080/"; write "api.test:8080"'],
    ['api.test/v1', 'must be a host without a path, not "api.test/v1"; write "api.test": ["allow * /v1/**"]'],
    ['10.0.0.0/8', 'is a range of addresses, which a rule cannot name; list each address'],
    ['me@api.test', 'must be a host without a user, not "me@api.test"; write "api.test"'],
    ['"a test"', 'must be a host without spaces, not "a test"'],
    [
      '"a.*.test"',
      'has a "*" where it means nothing; write "*.example.com" for all hosts below example.com, or "*" for every host',
    ],
    [
      '"*a.test"',
      'has a "*" where it means nothing; write "*.example.com" for all hosts below example.com, or "*" for every host',
    ],
    ['"*.10.0.0.1"', 'has a "*" before an address; write "10.0.0.1"'],
    ['a.test:0', 'has the port "0"; a port is a number from 1 to 65535'],
    ['a.test:65536', 'has the port "65536"; a port is a number from 1 to 65535'],
    ['a.test:http', 'has the port "http"; a port is a number from 1 to 65535'],
    ['"a.test:"', 'has the port ""; a port is a number from 1 to 65535'],
    ['bücher.test', 'must be written as browsers send it; write "xn--bcher-kva.test"'],
    ['"*.bücher.test"', 'must be written as browsers send it; write "*.xn--bcher-kva.test"'],
    [
      '127.1',
      'must be a host such as "packages.example.com", {api.example.com: ["allow GET /x/**"]}, {deny: "*.example.com"} or {preset: npm}, not 127.1',
    ],
    ['"10.1"', 'is the address 10.0.0.1; write "10.0.0.1"'],
    [
      'localhost:5432',
      'is your own machine; list its ports under "network.host", and other agents under "network.peers"',
    ],
    [
      '"*.localhost"',
      'is your own machine; list its ports under "network.host", and other agents under "network.peers"',
    ],
    ['"[::1]:80"', 'is your own machine; list its ports under "network.host", and other agents under "network.peers"'],
    ['-a.test', 'has a "-" at the beginning of a name, as no host has, not "-a.test"'],
    ['"*.a.-b.test"', 'has a "-" at the beginning of a name, as no host has, not "*.a.-b.test"'],
    ['npm', 'names a preset; write {preset: npm}, or "npm:443" for a host of that name'],
    ['preset:git', 'names a preset; write {preset: git}, or "git:443" for a host of that name'],
    ['a..test', 'must be a host such as "packages.example.com", not "a..test"'],
    [
      '-',
      'is empty; it must be a host such as "packages.example.com", {api.example.com: ["allow GET /x/**"]}, {deny: "*.example.com"} or {preset: npm}',
    ],
    [
      '{}',
      'is empty; it must be a host such as "packages.example.com", {api.example.com: ["allow GET /x/**"]}, {deny: "*.example.com"} or {preset: npm}',
    ],
    ['{a.test: ["allow * /"], b.test: ["allow * /"]}', 'has more than one key; each host is an item of its own'],
  ])('%s', async (rule, message) => {
    expect(await ruleError(rule === '-' ? '""' : rule)).toBe(
      `${at} ${rule === '-' ? 'is empty; it must be a host such as "packages.example.com"' : message}`,
    )
  })

  it.each([
    ['{preset: nmp}', '1:28: "network.rules[0].preset" must be the name of a preset, not "nmp"; did you mean "npm"?'],
    [
      '{preset: 1}',
      '1:28: "network.rules[0].preset" must be the name of a preset, not 1; moat network presets lists them',
    ],
    [
      '{deny: npm}',
      '1:26: "network.rules[0].deny" names a preset; moat network presets lists its hosts, to be denied, or "npm:443" for a host of that name',
    ],
    [
      '{deny: "https://a.test"}',
      '1:26: "network.rules[0].deny" must be a host without a scheme, not "https://a.test"; write "a.test"',
    ],
    [
      '{deny: {a.test: ["deny * /"]}}',
      '1:26: "network.rules[0].deny" must be a host such as {deny: "*.example.com"}; lines about paths stand under the host itself, not a mapping',
    ],
    [
      '{"https://a.test": ["allow * /"]}',
      '1:20: the host "https://a.test" must be a host without a scheme, not "https://a.test"; write "a.test"',
    ],
    [
      '{a.test: }',
      '1:20: "network.rules[0].a.test" is empty; it must be a list of lines such as ["allow GET /repos/**", "deny * /**"]',
    ],
    [
      '{a.test: []}',
      '1:28: "network.rules[0].a.test" is empty; it must be a list of lines such as ["allow GET /repos/**", "deny * /**"]',
    ],
    [
      '{a.test: allow GET /x}',
      '1:28: "network.rules[0].a.test" must be a list of lines such as ["allow GET /repos/**", "deny * /**"], not "allow GET /x"; write ["allow GET /x"]',
    ],
  ])('%s', async (rule, message) => {
    expect(await ruleError(rule)).toBe(message)
  })
})

describe('a line about paths', () => {
  const expected = 'must be "allow" or "deny", a method or *, and a path, such as "allow GET /repos/**"'
  it.each([
    ['GET /x', `${expected}, not "GET /x"; write "allow GET /x"`],
    ['permit GET /x', `${expected}, not "permit GET /x"`],
    ['allow GET', `${expected}, not "allow GET"`],
    ['allow GET /x y', `${expected}, not "allow GET /x y"`],
    ['allow /x', 'has no method; write "allow * /x"'],
    ['allow G?T /x', 'has the method "G?T"; write GET, POST, … or *'],
    ['allow GET x', 'has the path "x"; it must begin with "/"'],
    ['allow GET /x?y=1', 'has the path "/x?y=1"; queries are not looked at: write "/x"'],
    [
      'allow GET /x*',
      'has the path "/x*"; "*" stands for a whole segment and "**" for any number of them, not for a part of one',
    ],
    ['allow GET /a//b', 'has the path "/a//b"; write "/a/b"'],
    ['allow GET /a/../b', 'has the path "/a/../b"; write "/b"'],
    ['allow GET /a%2', 'has the path "/a%2", which is not one that a request can have'],
    ['', `${expected}, not ""`],
  ])('%s', async (line, message) => {
    expect(await ruleError(`{a.test: [${JSON.stringify(line)}]}`)).toBe(`1:29: "network.rules[0].a.test[0]" ${message}`)
  })

  it('may be many, up to a number that can be judged for every request', async () => {
    const lines = (count: number) => Array.from({ length: count }, () => '"allow GET /x"').join()
    expect((await load(`network: {rules: [{a.test: [${lines(100)}]}]}`)).config.network?.rules).toHaveLength(1)
    expect(await ruleError(`{a.test: [${lines(101)}]}`)).toBe(
      '1:28: "network.rules[0].a.test" has 101 lines; at most 100 are allowed',
    )
    expect(await ruleError(Array.from({ length: 501 }, () => 'a.test').join())).toBe(
      '1:18: "network.rules" has 501 items; at most 500 are allowed',
    )
    expect(await errorOf(`network: {host: [${Array.from({ length: 101 }, (_, index) => index + 1).join()}]}`)).toBe(
      '1:17: "network.host" has 101 items; at most 100 are allowed',
    )
  })

  it('may be several that are wrong, each of them said', async () => {
    const text = 'network:\n  rules:\n    - a.test:\n        - allow GET x\n        - deny\n    - b..c\n'
    expect((await errorOf(text)).split('\n').map((message) => message.split(' ')[0])).toEqual([
      '4:11:',
      '5:11:',
      '6:7:',
    ])
  })
})
