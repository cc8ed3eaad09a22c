// Owns what a valid moat.yaml becomes, and the errors about the file as a whole.
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { loadMoatYaml, type MoatYaml } from '../../../src/config/moat-yaml.js'
import { asOrdinaryUser } from './as-user.js'
import { caught } from './caught.js'
import { temporaryDirectory } from './temp-directory.js'

async function configOf(text: string): Promise<MoatYaml> {
  const directory = await temporaryDirectory()
  await writeFile(join(directory, 'moat.yaml'), text)
  return (await loadMoatYaml(directory, directory)).config
}

describe('a valid moat.yaml', () => {
  it('is read whole', async () => {
    const directory = await temporaryDirectory()
    await mkdir(join(directory, 'data'))
    await writeFile(
      join(directory, 'moat.yaml'),
      [
        'name: my-app',
        'dependencies: [node@22]',
        'base_image: debian:bookworm-slim',
        'ports: {web: 3000, api: {port: 8080, type: http, upstream: h2c}, files: {type: static, root: dist}}',
        'command: ["npm", "start", ""]',
        'env: {KEY: value}',
        'mounts: ["./data:/data/:ro", "/etc:/host/etc", "data:/rw:rw"]',
        'container: {memory: 4096, cpus: 1.5, dns: [1.1.1.1, "::1"]}',
        'grants: [github, npm]',
        'secrets: {KEY2: "op://a/b/c", KEY3: env://KEY3}',
        'services: {redis: 7.0, postgres: {image: "postgres:17", env: {N: 1.10}, port: 5433, wait: false}, mysql: {}}',
        'hooks: {post_build_root: [a, "b c"], post_build: d, pre_run: "e\\nf"}',
      ].join('\n'),
    )
    expect(await loadMoatYaml(directory, directory)).toEqual({
      config: {
        baseImage: 'debian:bookworm-slim',
        command: { argv: ['npm', 'start', ''], kind: 'exec' },
        container: { cpus: 1.5, dns: ['1.1.1.1', '::1'], memory: 4096 },
        dependencies: ['node@22'],
        env: { KEY: 'value' },
        grants: ['github', 'npm'],
        hooks: { postBuild: ['d'], postBuildRoot: ['a', 'b c'], preRun: ['e\nf'] },
        mounts: [
          { readOnly: true, source: join(directory, 'data'), target: '/data' },
          { readOnly: false, source: '/etc', target: '/host/etc' },
          { readOnly: false, source: join(directory, 'data'), target: '/rw' },
        ],
        name: 'my-app',
        ports: [
          { name: 'web', options: { port: 3000 }, type: 'http' },
          { name: 'api', options: { port: 8080, upstream: 'h2c' }, type: 'http' },
          { name: 'files', options: { root: 'dist' }, type: 'static' },
        ],
        secrets: { KEY2: 'op://a/b/c', KEY3: 'env://KEY3' },
        services: [
          { env: {}, name: 'redis', version: '7.0', wait: true },
          { env: { N: '1.10' }, image: 'postgres:17', name: 'postgres', port: 5433, wait: false },
          { env: {}, name: 'mysql', wait: true },
        ],
        snapshots: {},
        volumes: [],
      },
      displayFile: 'moat.yaml',
      file: join(directory, 'moat.yaml'),
      locate: expect.any(Function),
      notes: [],
      reject: expect.any(Function),
    })
  })

  it('may leave everything out', async () => {
    const hooks = { postBuild: [], postBuildRoot: [], preRun: [] }
    const nothing = {
      container: {},
      dependencies: [],
      env: {},
      grants: [],
      hooks,
      mounts: [],
      ports: [],
      secrets: {},
      services: [],
      snapshots: {},
      volumes: [],
    }
    expect(await configOf('{}')).toEqual(nothing)
  })

  it('keeps a command given as text for the shell', async () => {
    expect((await configOf('command: npm start | tee log')).command).toEqual({
      kind: 'shell',
      script: 'npm start | tee log',
    })
  })

  it('keeps endpoints in the order of the file, also those named like numbers', async () => {
    const { ports } = await configOf('ports: {web: 3000, 2: 80, api: 81, 1: 82}')
    expect(ports.map(({ name, options }) => `${name}:${options.port}`)).toEqual(['web:3000', '2:80', 'api:81', '1:82'])
  })

  it('keeps env values as written', async () => {
    const text = 'env: {A: 1.10, B: TRUE, C: 12345678901234567890, D: "", E: 0o17, F: &x no, G: *x, H: "\\t#"}'
    expect((await configOf(text)).env).toEqual({
      A: '1.10',
      B: 'TRUE',
      C: '12345678901234567890',
      D: '',
      E: '0o17',
      F: 'no',
      G: 'no',
      H: '\t#',
    })
  })

  it('may start with a byte order mark and have Windows line ends', async () => {
    expect((await configOf('\uFEFFname: a\r\nports:\r\n  web: 1\r\n')).ports[0]?.name).toBe('web')
  })

  it('tells where its values stand', async () => {
    const directory = await temporaryDirectory()
    await writeFile(join(directory, 'moat.yaml'), 'name: a\nports:\n  web: {type: tls, port: 1}\n')
    const { locate } = await loadMoatYaml(directory, directory)
    expect(locate(['ports', 'web', 'type'])).toBe('moat.yaml:3:15')
    expect(locate(['ports', 'web', 'absent'])).toBe('moat.yaml:3:8')
    expect(locate(['absent'])).toBe('moat.yaml:1:1')
  })
})

describe('how the file is named', () => {
  it('is relative to the working directory when below it, else absolute', async () => {
    const directory = await temporaryDirectory()
    const app = join(directory, 'my-app')
    await mkdir(app)
    await writeFile(join(app, 'moat.yaml'), '- a')
    const cause = '1:1: the file must be a mapping such as {name: my-app}, not a list'
    expect((await caught(() => loadMoatYaml(app, directory))).message).toBe(`my-app/moat.yaml:${cause}`)
    expect((await caught(() => loadMoatYaml('my-app', directory))).message).toBe(`my-app/moat.yaml:${cause}`)
    expect((await caught(() => loadMoatYaml(app, app))).message).toBe(`moat.yaml:${cause}`)
    expect((await caught(() => loadMoatYaml(app, join(directory, 'my')))).message).toBe(`${app}/moat.yaml:${cause}`)
  })
})

describe('no readable moat.yaml', () => {
  it('is an error whose command writes one', async () => {
    const directory = await temporaryDirectory()
    await mkdir(join(directory, "my app's"))
    const error = await caught(() => loadMoatYaml("my app's", directory))
    expect(error).toEqual({
      code: 'CONFIG_MISSING',
      exit: 2,
      message: "There is no moat.yaml in my app's.",
      suggestions: [`moat init 'my app'\\''s'`],
    })
  })

  it('names the working directory in full', async () => {
    const directory = await temporaryDirectory()
    const { message, suggestions } = await caught(() => loadMoatYaml('.', directory))
    expect(message).toBe(`There is no moat.yaml in ${directory}.`)
    expect(suggestions).toEqual(['moat init'])
  })

  it('says why the file cannot be read', async () => {
    const directory = await temporaryDirectory()
    const file = join(directory, 'moat.yaml')
    await writeFile(file, 'name: a')
    await chmod(directory, 0o755)
    await chmod(file, 0o000)
    expect(await caught(() => asOrdinaryUser(() => loadMoatYaml(directory, directory)))).toEqual({
      code: 'CONFIG_INVALID',
      exit: 2,
      message: 'moat.yaml cannot be read: permission denied.',
      suggestions: [],
    })
  })

  it('says that a directory is not a file', async () => {
    const directory = await temporaryDirectory()
    await mkdir(join(directory, 'moat.yaml'))
    expect((await caught(() => loadMoatYaml(directory, directory))).message).toBe(
      'moat.yaml cannot be read: illegal operation on a directory.',
    )
  })

  it('is not guessed from other encodings', async () => {
    const directory = await temporaryDirectory()
    await writeFile(join(directory, 'moat.yaml'), Buffer.from('name: caf\u00E9', 'latin1'))
    expect((await caught(() => loadMoatYaml(directory, directory))).message).toBe('moat.yaml:1:1: not UTF-8 text')
    expect(await readFile(join(directory, 'moat.yaml'), 'latin1')).toBe('name: caf\u00E9')
  })
})
