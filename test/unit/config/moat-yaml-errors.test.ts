// Owns the exact words and positions of everything that can be wrong inside a moat.yaml.
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { loadMoatYaml } from '../../../src/config/moat-yaml.js'
import { moatYamlKeys } from '../../../src/config/moat-yaml-schema.js'
import { caught } from './caught.js'
import { temporaryDirectory } from './temp-directory.js'

/** The lines of the error for `text`; `DIR` stands for the directory of the file. */
async function errorsOf(text: string): Promise<string[]> {
  const directory = await temporaryDirectory()
  await writeFile(join(directory, 'moat.yaml'), text)
  await mkdir(join(directory, 'data'))
  const error = await caught(() => loadMoatYaml(directory, directory))
  expect(error).toMatchObject({ code: 'CONFIG_INVALID', exit: 2, suggestions: [] })
  return error.message.replaceAll(directory, 'DIR').split('\n')
}

const label = 'must be a DNS label (lowercase letters, digits and hyphens, at most 63 characters)'
const keys =
  'name, dependencies, base_image, ports, discover, command, env, mounts, volumes, services, container, hooks, stdin, network, grants, secrets, snapshots'
const networkForm = 'a mapping such as {policy: strict, rules: [packages.example.com]}'
const port = '1:14: "ports.web" must be a port number from 1 to 65535'
const bare = (number: number) => `write only the port in the container, ${number}: moat gives it a URL`
const ports = '1:8: "ports" must be a mapping of endpoint names to ports such as {web: 3000}, not a list'
const memory = '1:21: "container.memory" must be a whole number of MiB, at least 6'
const dependencies = '1:15: "dependencies" must be a list such as [node@22]'
const commandForm = 'a list such as ["npm", "start"], or text for sh -c'

describe('the keys that hints name', () => {
  it.each(Object.entries(moatYamlKeys))('those of %j are all known', async (path, names) => {
    const mapping = Object.fromEntries(names.map((name) => [name, null]))
    const [key = ''] = path.split(/[.[]/)
    const inside = path.endsWith('[]') ? [mapping] : path.endsWith('.*') ? { postgres: mapping } : mapping
    const errors = await errorsOf(JSON.stringify(path === '' ? mapping : { [key]: inside }))
    expect(errors.filter((line) => line.includes('unknown key'))).toEqual([])
  })
})

describe('a moat.yaml with one thing wrong', () => {
  it.each([
    ['empty', '', '1:1: the file is empty'],
    ['only comments', '# name: a\n', '1:1: the file is empty'],
    ['an empty document', '---\n', '1:1: the file is empty'],
    ['null', '# x\nnull', '2:1: the file is empty; it must be a mapping such as {name: my-app}'],
    ['not a mapping', '# x\n"text"', '2:1: the file must be a mapping such as {name: my-app}, not "text"'],
    ['two documents', 'name: a\n---\nname: b\n', '3:1: more than one YAML document; there must be only one'],
    ['bad syntax', 'name: a\nports: [1\nenv: b', '3:1: not valid YAML: deficient indentation'],
    ['bad syntax after CRLF', 'name: a\r\nb: c: d', '2:5: not valid YAML: bad indentation of a mapping entry'],
    ['unknown tag', 'name: !foo a', '1:7: not valid YAML: unknown scalar tag !<!foo>'],
    ['unknown alias', 'name: *foo', '1:7: not valid YAML: unidentified alias "foo"'],
    ['endless value', 'ports:\n  web: &web {port: 1, x: *web}', '2:26: the alias "*web" stands inside &web'],
    ['complex key', 'env: {[a]: b}', '1:7: a key must be text, not a list or a mapping'],
    ['duplicate key', 'name: a\nenv: {}\nname: b', '3:1: duplicate key "name"; it is already on line 1'],
    ['duplicate endpoint', 'ports: {web: 1,\n  "web": 2}', '2:3: duplicate key "web"; it is already on line 1'],
    ['__proto__', 'env:\n  __proto__: a', '2:3: the key "__proto__" cannot be used'],
    ['__proto__ at the top', '__proto__: {name: a}', '1:1: the key "__proto__" cannot be used'],
    ['unknown key', 'name: a\nprots: {web: 1}', '2:1: unknown key "prots"; did you mean "ports"?'],
    [
      'a key that is not seen as it is',
      '"na\\tme\\nmoat.yaml:1:1: fine": a',
      `1:1: unknown key "na\\u{9}me\\u{a}moat.yaml:1:1: fine"; known keys are ${keys}`,
    ],
    ['camel case', 'baseImage: a', '1:1: unknown key "baseImage"; did you mean "base_image"?'],
    ['nothing near', 'frobnicate: []', `1:1: unknown key "frobnicate"; known keys are ${keys}`],
    [
      'Compose: volumes',
      'volumes: ["./a:/b"]',
      '1:11: "volumes[0]" must be a mapping such as {name: node-modules, target: /workspace/node_modules}, not "./a:/b"; a directory of this machine stands under "mounts"',
    ],
    ['Compose: image', 'image: a', '1:1: unknown key "image"; did you mean "base_image"?'],
    ['Compose: environment', 'environment: {}', '1:1: unknown key "environment"; did you mean "env"?'],
    [
      'Compose: services',
      'services: {postgres: {ports: [5432]}}',
      '1:23: unknown key "ports" in "services.postgres"; it belongs at the top of the file',
    ],
    [
      'a service that is nothing',
      'services: {postgres: }',
      '1:12: "services.postgres" is empty; it must be a version such as 17, or a mapping such as {version: 17, env: {POSTGRES_DB: my_app}}',
    ],
    [
      'services as a list',
      'services: [postgres@17]',
      '1:11: "services" must be a mapping such as {postgres: 17}, not a list; write {postgres: 17} for [postgres@17]',
    ],
    [
      'a version that no image can have',
      'services: {postgres: {version: "17 alpine"}}',
      '1:32: "services.postgres.version" must be a version, such as 17 or "17-alpine", not "17 alpine"',
    ],
    [
      'a version beside an image',
      'services: {postgres: {version: 17, image: "postgres:16"}}',
      '1:22: "services.postgres" has an image and a version: write the version into the image',
    ],
    [
      'an image that is a flag',
      'services: {postgres: {image: "--privileged"}}',
      '1:30: "services.postgres.image" must be the name of an image, such as postgres:17-alpine, not "--privileged"',
    ],
    [
      "a service's port",
      'services: {postgres: {port: 0}}',
      '1:29: "services.postgres.port" must be a port number from 1 to 65535, not 0',
    ],
    [
      "a service's variable",
      'services: {postgres: {env: {1X: y}}}',
      '1:29: "1X" is not a variable name: use letters, digits and underscores, and no digit first',
    ],
    [
      "a service's secret",
      'services: {postgres: {env: {POSTGRES_PASSWORD: "op://a/b/c"}}}',
      '1:48: "services.postgres.env.POSTGRES_PASSWORD" must be the value itself: a service has no secrets of its user, and moat makes its password',
    ],
    ['one level up', 'memory: 512', '1:1: unknown key "memory"; it belongs under "container"'],
    [
      'one level down',
      'container: {env: {}}',
      '1:13: unknown key "env" in "container"; it belongs at the top of the file',
    ],
    ['unknown key in container', 'container: {cpu: 2}', '1:13: unknown key "cpu" in "container"; did you mean "cpus"?'],
    [
      'nothing near in container',
      'container:\n  gpu-x: 2',
      '2:3: unknown key "gpu-x" in "container"; known keys are cpus, dns, memory, runtime',
    ],
    ['unknown hook', 'hooks: {pre-run: x}', '1:9: unknown key "pre-run" in "hooks"; did you mean "pre_run"?'],
    ['hook as a number', 'hooks: {pre_run: 1}', '1:18: "hooks.pre_run" must be text, not 1; write it in quotes'],
    ['empty hook', 'hooks: {post_build: [a, ""]}', '1:25: "hooks.post_build[1]" is empty; it must be text'],
    ['hooks as text', 'hooks: npm ci', '1:8: "hooks" must be a mapping such as {pre_run: "npm ci"}, not "npm ci"'],
    ['grants as text', 'name: a\ngrants: github', '2:9: "grants" must be a list such as [github, npm], not "github"'],
    [
      'a grant of a profile',
      'grants: [github@work]',
      '1:10: "grants[0]" must be the name of a grant, such as github or ssh:github.com, not "github@work"',
    ],
    ['a grant twice', 'grants: [npm, github, npm]', '1:23: "grants[2]" is "npm" a second time'],
    [
      'a secret itself, which is not shown',
      'secrets: {KEY: hunter2}',
      '1:16: "secrets.KEY" must be where the value is, op://vault/item/field, env://NAME or file:///path, not the value itself',
    ],
    [
      'a secret that is no variable',
      'secrets: {A-B: env://X}',
      '1:11: "A-B" is not a variable name: use letters, digits and underscores, and no digit first',
    ],
    [
      'triggers that are none',
      'snapshots: {triggers: true}',
      '1:23: "snapshots.triggers" must be a list such as [commit, idle], or a mapping such as {commit: true, idle: 60}, not true',
    ],
    [
      'an unknown trigger in a list',
      'snapshots: {triggers: [commit, save]}',
      '1:32: "snapshots.triggers[1]" must be commit or idle, not "save"',
    ],
    [
      'an unknown trigger',
      'snapshots: {triggers: {save: true}}',
      '1:30: "snapshots.triggers.save" is not known; write a list such as [commit, idle], or a mapping such as {commit: true, idle: 60}',
    ],
    [
      'an idle time that is none',
      'snapshots: {triggers: {idle: 1}}',
      '1:30: "snapshots.triggers.idle" must be true, false or a number of seconds from 2 to 3600, not 1',
    ],
    [
      'a trigger that is not built',
      'snapshots: {triggers: {disable_builds: false}}',
      '1:40: "snapshots.triggers.disable_builds" asks for snapshots at builds, which are not built; leave it out',
    ],
    [
      'files that snapshots are to leave out',
      'snapshots: {exclude: {additional: [dist/]}}',
      '1:22: "snapshots.exclude" is not built: a snapshot leaves out what git ignores; write the patterns into .gitignore or .git/info/exclude',
    ],
    [
      'no snapshots',
      'snapshots: {retention: 0}',
      '1:24: "snapshots.retention" must be a whole number from 1 to 1000, not 0',
    ],
    ['a secret that is in env', 'env: {A: 1}\nsecrets: {A: env://X}', '2:11: "A" is in "env" already'],
    ['empty network', 'network:', `1:1: "network" is empty; it must be ${networkForm}`],
    ['port in words', 'ports: {web: three}', '1:14: "ports.web" must be a port number from 1 to 65535, not "three"'],
    [
      'port as text',
      'ports: {web: "80"}',
      '1:14: "ports.web" must be a port number from 1 to 65535, not "80"; write it without quotes',
    ],
    ['port 0', 'ports: {web: 0}', '1:14: "ports.web" must be a port number from 1 to 65535, not 0'],
    ['port 65536', 'ports: {web: 65536}', '1:14: "ports.web" must be a port number from 1 to 65535, not 65536'],
    ['half a port', 'ports: {web: 80.5}', '1:14: "ports.web" must be a port number from 1 to 65535, not 80.5'],
    ['list of ports', 'ports: {web: [80]}', '1:14: "ports.web" must be a port number from 1 to 65535, not a list'],
    ['no port', 'ports:\n  web:\n', '2:3: "ports.web" is empty; it must be a port number from 1 to 65535'],
    [
      'long form',
      'ports:\n  web:\n    type: http\n    port: x',
      '4:11: "ports.web.port" must be a port number from 1 to 65535, not "x"',
    ],
    ['type', 'ports: {web: {type: 1}}', '1:21: "ports.web.type" must be text, not 1; write it in quotes'],
    [
      'ports as a list',
      'ports: [3000]',
      '1:8: "ports" must be a mapping of endpoint names to ports such as {web: 3000}, not a list; give each a name: {web: 3000}',
    ],
    [
      'ports left empty',
      'name: a\nports:\n#  web: 1\n',
      '2:1: "ports" is empty; it must be a mapping of endpoint names to ports such as {web: 3000}',
    ],
    ['endpoint name', 'ports: {Web_App: 1}', `1:9: endpoint name "Web_App" ${label}; did you mean "web-app"?`],
    ['endpoint name beyond help', 'ports: {"-": 1}', `1:9: endpoint name "-" ${label}`],
    ['name', 'name: My App', `1:7: "name" ${label}, not "My App"; did you mean "my-app"?`],
    ['name as a number', 'name: 42', '1:7: "name" must be text, not 42; write it in quotes'],
    ['name left empty', 'name: ""', '1:7: "name" is empty; it must be text'],
    ['dependency', 'dependencies: [node@22, {a: 1}]', '1:25: "dependencies[1]" must be text, not a mapping'],
    [
      'dependencies',
      'dependencies: node',
      '1:15: "dependencies" must be a list such as [node@22], not "node"; write [node]',
    ],
    ['command', 'command: {a: b}', `1:10: "command" must be ${commandForm}, not a mapping`],
    ['command as a number', 'command: 3', `1:10: "command" must be ${commandForm}, not 3`],
    ['command left empty', 'command: []', `1:10: "command" is empty; it must be ${commandForm}`],
    ['command of no text', 'command: ""', `1:10: "command" is empty; it must be ${commandForm}`],
    ['program left empty', 'command: ["", a]', '1:11: "command[0]" is empty; it must be a program'],
    ['argument', 'command:\n  - sleep\n  - 5', '3:5: "command[1]" must be text, not 5; write it in quotes'],
    [
      'env',
      'env: [A=b]',
      '1:6: "env" must be a mapping such as {KEY: value}, not a list; write KEY: value instead of KEY=value',
    ],
    ['port in quotes', 'ports: {web: "3000"}', `${port}, not "3000"; write it without quotes`],
    ['port of Compose', 'ports: {web: 8080:3000}', `${port}, not "8080:3000"; ${bare(3000)}`],
    [
      'port of Compose at an address',
      'ports: {web: "127.0.0.1:8080:3000"}',
      `${port}, not "127.0.0.1:8080:3000"; ${bare(3000)}`,
    ],
    ['port with a protocol', 'ports: {web: 3000/tcp}', `${port}, not "3000/tcp"; ${bare(3000)}`],
    ['port of nothing', 'ports: {web: "99999"}', `${port}, not "99999"`],
    ['ports of Compose', 'ports: ["8080:3000", 5432]', `${ports}; give each a name: {web: 3000, port-5432: 5432}`],
    ['ports of something', 'ports: [{a: b}]', ports],
    ['stdin', 'stdin: true', '1:8: "stdin" must be open or closed, not true'],
    ['memory in quotes', 'container: {memory: "512"}', `${memory}, not "512"; write it without quotes`],
    ['memory with a unit', 'container: {memory: 2g}', `${memory}, not "2g"; write 2048`],
    [
      'cpus in quotes',
      'container: {cpus: "0.5"}',
      '1:19: "container.cpus" must be a number of CPUs above 0, not "0.5"; write it without quotes',
    ],
    [
      'discover in quotes',
      'discover: "true"',
      '1:11: "discover" must be true or false, not "true"; write it without quotes',
    ],
    [
      'dependencies as a mapping',
      'dependencies: {node: 22, git: }',
      `${dependencies}, not a mapping; write [node@22, git]`,
    ],
    ['dependencies as a text', 'dependencies: node@22', `${dependencies}, not "node@22"; write [node@22]`],
    ['env value', 'env: {A: [s3cret]}', '1:10: "env.A" must be text, a number or a boolean, not a list'],
    ['env value left empty', 'env:\n  A:\n', '2:3: "env.A" is empty; it must be text, a number or a boolean'],
    [
      'env name',
      'env: {my-key: s3cret}',
      '1:7: "my-key" is not a variable name: use letters, digits and underscores, and no digit first',
    ],
    ['mounts', 'mounts: ./a:/b', '1:9: "mounts" must be a list such as ["./data:/data:ro"], not "./a:/b"'],
    ['mount', 'mounts: [data]', '1:10: "mounts[0]" must be "source:target" or "source:target:ro", not "data"'],
    [
      'mount without source',
      'mounts: [":/a"]',
      '1:10: "mounts[0]" must be "source:target" or "source:target:ro", not ":/a"',
    ],
    ['mount mode', 'mounts: ["data:/a:rx"]', '1:10: "mounts[0]" ends in "rx"; a mount\'s mode is "ro" or "rw"'],
    [
      'mount with too much',
      'mounts: ["data:/a:ro:z"]',
      '1:10: "mounts[0]" must be "source:target" or "source:target:ro", not "data:/a:ro:z"',
    ],
    [
      'relative target',
      'mounts: ["data:a"]',
      '1:10: "mounts[0]" has the target "a", which must be an absolute path in the container',
    ],
    [
      'root target',
      'mounts: ["data:/a/.."]',
      '1:10: "mounts[0]" has the target "/", which would hide the whole container',
    ],
    [
      'workspace target',
      'mounts: ["data:/workspace/"]',
      '1:10: "mounts[0]" has the target "/workspace", where the workspace already is',
    ],
    ['equal targets', 'mounts: ["data:/a", "data:/a/"]', '1:21: "mounts[1]" has the target "/a", as "mounts[0]" has'],
    [
      'missing source',
      'mounts:\n  - data:/a\n  - ./absent:/b',
      '3:5: "mounts[1]" has the source DIR/absent, which does not exist',
    ],
    [
      'source below a file',
      'mounts: ["moat.yaml/x:/b"]',
      '1:10: "mounts[0]" has the source DIR/moat.yaml/x, which cannot be read: not a directory',
    ],
    [
      'memory',
      'container: {memory: 4g}',
      '1:21: "container.memory" must be a whole number of MiB, at least 6, not "4g"; write 4096',
    ],
    [
      'too little memory',
      'container: {memory: 5}',
      '1:21: "container.memory" must be a whole number of MiB, at least 6, not 5',
    ],
    ['cpus', 'container: {cpus: 0}', '1:19: "container.cpus" must be a number of CPUs above 0, not 0'],
    [
      'endless cpus',
      'container: {cpus: .inf}',
      '1:19: "container.cpus" must be a number of CPUs above 0, not Infinity',
    ],
    ['dns', 'container: {dns: [one]}', '1:19: "container.dns[0]" must be an IP address, not "one"'],
    ['one dns', 'container: {dns: 1.1.1.1}', '1:18: "container.dns" must be a list of IP addresses, not "1.1.1.1"'],
    [
      'runtime',
      'container: {runtime: a/b}',
      '1:22: "container.runtime" must be the name of a runtime of the engine, such as "runsc", not "a/b"',
    ],
    ['container', 'container: big', '1:12: "container" must be a mapping such as {memory: 4096, cpus: 2}, not "big"'],
    ['text block', 'ports:\n  web: |\n    80\n', '2:8: "ports.web" must be a port number from 1 to 65535, not "80\\n"'],
    [
      'value by alias',
      'env: {A: &a x}\nports: {web: *a}',
      '2:14: "ports.web" must be a port number from 1 to 65535, not "x"',
    ],
    [
      'inside a value by alias',
      'ports:\n  a: &long {port: 1, type: ""}\n  b: *long',
      ['2:28: "ports.a.type" is empty; it must be text', '2:28: "ports.b.type" is empty; it must be text'],
    ],
  ])('%s', async (_, text, expected) => {
    expect(await errorsOf(text)).toEqual([expected].flat().map((line) => `moat.yaml:${line}`))
  })
})

describe('a moat.yaml with several things wrong', () => {
  it('has all of them reported, in the order of the file', async () => {
    const text = [
      'prots: {web: 3000}',
      'name: My App',
      'mounts: ["./absent:/b", 3]',
      'ports:',
      '  My_Web: three',
      '  web: 1',
      '  web: 70000',
      'network: none',
      'containr: {}',
    ]
    expect(await errorsOf(text.join('\n'))).toEqual([
      'moat.yaml:1:1: unknown key "prots"; did you mean "ports"?',
      `moat.yaml:2:7: "name" ${label}, not "My App"; did you mean "my-app"?`,
      'moat.yaml:3:10: "mounts[0]" has the source DIR/absent, which does not exist',
      'moat.yaml:3:25: "mounts[1]" must be text, not 3; write it in quotes',
      `moat.yaml:5:3: endpoint name "My_Web" ${label}; did you mean "my-web"?`,
      'moat.yaml:5:11: "ports.My_Web" must be a port number from 1 to 65535, not "three"',
      'moat.yaml:7:3: duplicate key "web"; it is already on line 6',
      'moat.yaml:7:8: "ports.web" must be a port number from 1 to 65535, not 70000',
      `moat.yaml:8:10: "network" must be ${networkForm}, not "none"`,
      'moat.yaml:9:1: unknown key "containr"; did you mean "container"?',
    ])
  })

  it('never shows a value of env', async () => {
    const lines = await errorsOf('env:\n  bad-key: s3cret\n  A: [s3cret]\n  B: {c: s3cret}\n  A: s3cret\n')
    expect(lines).toHaveLength(3)
    expect(lines.join()).not.toContain('s3cret')
  })
})
