import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { loadMoatYaml, type MoatYaml } from '../../../src/config/moat-yaml.js'
import { detectProject } from '../../../src/projects/detect-project.js'
import { moatYamlFor } from '../../../src/projects/write-moat-yaml.js'

let root: string

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'moat-init-'))
})
afterEach(() => rmSync(root, { force: true, recursive: true }))

/** The moat.yaml for a project with these files, which moat itself must accept. */
async function yamlFor(files: Record<string, string>): Promise<string> {
  const directory = join(root, 'My Project')
  mkdirSync(directory)
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text)
  const yaml = moatYamlFor(await detectProject(directory))
  writeFileSync(join(directory, 'moat.yaml'), yaml)
  await loadMoatYaml(directory)
  return yaml
}

const packageJson = (json: object) => ({ 'package.json': JSON.stringify(json) })

/** The same, of a project that is otherwise as usual. */
async function initialised(files: Record<string, string>): Promise<MoatYaml> {
  rmSync(join(root, 'My Project'), { force: true, recursive: true })
  await yamlFor(files)
  return (await loadMoatYaml(join(root, 'My Project'))).config
}

async function script(files: Record<string, string>): Promise<string> {
  const { command } = await initialised(files)
  return command?.kind === 'shell' ? command.script : ''
}

const vite = { devDependencies: { vite: '8' }, scripts: { dev: 'vite' } }

describe('moat init', () => {
  it('knows frameworks, their ports and how they are made to listen', async () => {
    expect(
      await yamlFor(packageJson({ devDependencies: { vite: '8' }, name: '@acme/Shop_UI', scripts: { dev: 'vite' } })),
    ).toBe(`# From package.json, vite.
name: shop-ui
dependencies: [node@22]
ports: {web: 5173}
# The first line installs what package.json says; the second runs the project.
command: |
  npm install || exit
  exec npm run dev -- --host
`)
  })

  it('takes node version, port and package manager from the project', async () => {
    const json = {
      dependencies: { next: '16' },
      engines: { node: '>=24' },
      name: 'site',
      packageManager: 'pnpm@10.0.0',
      scripts: { build: 'next build', start: 'next start -p 4000' },
    }
    expect(await yamlFor(packageJson(json))).toBe(`# From package.json, next.
name: site
dependencies: [node@24, pnpm@10.0.0]
ports: {web: 4000}
# The first line installs what package.json says; the second runs the project.
command: |
  pnpm install || exit
  exec pnpm run start
`)
  })

  it('knows Python and Go', async () => {
    const pyproject = '[project]\nname = "api"\nrequires-python = ">=3.13"\ndependencies = ["fastapi"]\n'
    expect(await yamlFor({ 'pyproject.toml': pyproject })).toBe(`# From pyproject.toml, fastapi.
name: api
dependencies: [python@3.13]
ports: {web: 8000}
# The first line installs what pyproject.toml says; the second runs the project.
command: |
  pip install -e . || exit
  exec python -m uvicorn main:app --host 0.0.0.0 --port 8000 --reload
`)
    rmSync(join(root, 'My Project'), { recursive: true })
    expect(await yamlFor({ 'go.mod': 'module example.test/acme/gateway\n\ngo 1.25.1\n' })).toBe(`# From go.mod.
name: gateway
dependencies: [go@1.25]
ports: {web: 8080}
command: [go, run, .]
`)
  })

  it('believes a Procfile', async () => {
    const files = { Procfile: 'worker: x\nweb: node server.js --port 5000\n', ...packageJson({ name: 'a' }) }
    expect(await yamlFor(files)).toBe(`# From package.json, Procfile.
name: a
dependencies: [node@22]
ports: {web: 5000}
command: node server.js --port 5000
env: {PORT: '5000'}
`)
  })

  it('says when it knows nothing', async () => {
    expect(await yamlFor({})).toBe(`# Nothing here said how the project is run: fill it in.
name: my-project
ports: {web: 3000}
# command: ["npm", "start"]
`)
  })

  it.each([
    ['package-lock.json', '{}', '[ node_modules/.package-lock.json -nt package-lock.json ] || npm ci || exit'],
    ['npm-shrinkwrap.json', '{}', '[ node_modules/.package-lock.json -nt npm-shrinkwrap.json ] || npm ci || exit'],
    ['pnpm-lock.yaml', "lockfileVersion: '9.0'\n", 'pnpm install --frozen-lockfile || exit'],
    ['yarn.lock', '# yarn lockfile v1\n', 'yarn install --frozen-lockfile || exit'],
    ['yarn.lock', '__metadata:\n  version: 8\n', 'yarn install --immutable || exit'],
    ['bun.lock', '{}', 'bun install --frozen-lockfile || exit'],
    ['bun.lockb', '#!/usr/bin/env bun\n', 'bun install --frozen-lockfile || exit'],
  ])('installs what %s says before it runs a fresh clone', async (lock, text, step) => {
    const manager = step.replace(/^.*\|\| (?=npm)/, '').split(' ')[0]
    const end = manager === 'npm' ? 'exec npm run dev -- --host' : `exec ${manager} run dev --host`
    expect(await script({ ...packageJson(vite), [lock]: text })).toBe(`${step}\n${end}\n`)
  })

  it('installs nothing where there is nothing to install', async () => {
    expect((await initialised(packageJson({ scripts: { start: 'node .' } }))).command).toEqual({
      argv: ['npm', 'run', 'start'],
      kind: 'exec',
    })
  })

  it.each([
    [{ 'requirements.txt': 'flask\n' }, 'pip install -r requirements.txt', 'python -m flask run', ['python@3.12']],
    [
      { 'pyproject.toml': '[project]\ndependencies = ["fastapi"]\n', 'uv.lock': '' },
      'uv sync --frozen',
      'uv run --frozen python -m uvicorn',
      ['python@3.12', 'uv'],
    ],
    [
      { 'poetry.lock': '', 'pyproject.toml': '[tool.poetry.dependencies]\npython = "^3.13"\ndjango = "5"\n' },
      'poetry install',
      'poetry run python manage.py',
      ['python@3.13', 'poetry'],
    ],
    [
      { Pipfile: '[packages]\nflask = "*"\n[requires]\npython_version = "3.11"\n', 'Pipfile.lock': '{}' },
      'pipenv sync',
      'pipenv run python -m flask',
      ['python@3.11', 'pipenv'],
    ],
    [
      { Gemfile: 'ruby "~> 3.3.0"\ngem "rails"\n', 'Gemfile.lock': '' },
      'bundle install',
      'bundle exec rails server',
      ['ruby@3.3', 'build-essential'],
    ],
    [{ 'go.mod': 'module a.test/b\n\ngo 1.13\n', 'go.sum': '' }, 'go mod download', 'go run .', ['go@1.24']],
    [{ 'Cargo.lock': '', 'Cargo.toml': '[package]\nname = "a"\n' }, 'cargo fetch --locked', 'cargo run', ['rust']],
  ])('installs by the lock file of %j', async (files, install, run, dependencies) => {
    const config = await initialised(files)
    expect(config.dependencies).toEqual(dependencies)
    const { script: text } = config.command as { script: string }
    expect(text).toMatch(new RegExp(`^${install}.* \\|\\| exit\nexec ${run}`))
  })

  it.each<[Record<string, string>, string[], string[] | undefined]>([
    [{ 'pom.xml': '<groupId>org.springframework.boot</groupId>' }, ['java', 'maven'], ['mvn', 'spring-boot:run']],
    [{ 'build.gradle': "id 'org.springframework.boot'" }, ['java'], ['./gradlew', 'bootRun']],
    [{ 'build.gradle.kts': 'id("org.springframework.boot")' }, ['java'], ['./gradlew', 'bootRun']],
    [{ 'pom.xml': '<project/>' }, ['java', 'maven'], undefined],
  ])('starts Spring Boot by the tool that %j is for', async (files, dependencies, argv) => {
    const { command, dependencies: found, ports: endpoints } = await initialised(files)
    expect(found).toEqual(dependencies)
    expect(command).toEqual(argv && { argv, kind: 'exec' })
    expect(endpoints[0]).toMatchObject({ options: { port: 8080 } })
  })

  it.each([
    ['>= 0.10.0', '22'],
    ['<21', '20'],
    ['^18 || ^20', '20'],
    ['18.x', '18'],
    ['>=18 <=20', '20'],
    ['>=20.9.0', '22'],
    ['~16.14', '16'],
    ['*', '22'],
    ['>=99', '99'],
    ['latest', '22'],
    ['', '22'],
    [18, '22'],
    [null, '22'],
  ])('reads engines.node %j as the range it is', async (node, version) => {
    expect((await initialised(packageJson({ engines: { node } }))).dependencies).toEqual([`node@${version}`])
  })

  it.each([
    [{ '.nvmrc': 'v18.20.4\n' }, 'node@18'],
    [{ '.nvmrc': 'lts/iron\n' }, 'node@20'],
    [{ '.nvmrc': 'lts/*\n' }, 'node@22'],
    [{ '.nvmrc': '# why\n\n24 # now\n' }, 'node@24'],
    [{ '.node-version': '20.11.1' }, 'node@20'],
    [{ '.tool-versions': 'ruby 3.3.0\nnodejs 18.1.0\n' }, 'node@18'],
    [packageJson({ engines: { node: '>=18' }, volta: { node: '20.1.0' } }), 'node@20'],
    [packageJson({ engines: ['node >= 24'] }), 'node@24'],
    [packageJson({ devEngines: { runtime: { name: 'node', version: '^20' } } }), 'node@20'],
  ])('takes the version that %j pins', async (files, dependency) => {
    expect((await initialised({ ...packageJson({ engines: { node: '>=16' } }), ...files })).dependencies).toEqual([
      dependency,
    ])
  })

  it.each([
    [{ ...packageJson({ packageManager: 'yarn@4.1.0' }) }, 'yarn-berry@4.1.0'],
    [{ ...packageJson({ packageManager: 'yarn@1.22.22+sha512.00' }) }, 'yarn@1.22.22'],
    [{ ...packageJson({ packageManager: 'yarn@4.1.0' }), '.yarnrc.yml': 'yarnPath: .yarn/yarn.cjs\n' }, 'yarn'],
    [{ ...packageJson({}), 'pnpm-lock.yaml': 'lockfileVersion: 5.4\n' }, 'pnpm@7'],
    [{ ...packageJson({}), 'pnpm-lock.yaml': "lockfileVersion: '6.0'\n" }, 'pnpm@8'],
    [{ ...packageJson({ engines: { node: '20' } }), 'pnpm-lock.yaml': "lockfileVersion: '9.0'\n" }, 'pnpm@9'],
  ])('takes the package manager of %j', async (files, dependency) => {
    expect((await initialised(files)).dependencies[1]).toBe(dependency)
  })

  it.each([
    ['docker run -d -p 5432:5432 postgres && next dev', 3000],
    ['docker run -p 5432:5432 postgres & next dev -p 4000', 4000],
    ['mkdir -p 2024 && next dev', 3000],
    ['wait-on tcp:5432 && next dev --port=4001', 4001],
    ['cross-env PORT=4002 next dev', 4002],
    ['tsc -p 3333 && node server.js', 3000],
    ['next dev --port 0', 3000],
    ['next dev --port 99999', 3000],
    ['next dev -p $PORT', 3000],
    ['psql --port 5432 -f a.sql; node_modules/.bin/next dev -p4003', 4003],
  ])('finds the port of %j', async (dev, port) => {
    const { ports } = await initialised(packageJson({ dependencies: { next: '16' }, scripts: { dev } }))
    expect(ports).toEqual([{ name: 'web', options: { port }, type: 'http' }])
  })

  it('has Astro go by no process number of an earlier container', async () => {
    const astro = packageJson({ dependencies: { astro: '7' }, scripts: { dev: 'astro dev' } })
    expect(await script(astro)).toContain('exec npm run dev -- --host --ignore-lock')
  })

  it('adds arguments only to the command that takes them', async () => {
    const dev = (line: string) => script(packageJson({ ...vite, scripts: { dev: line } }))
    expect(await dev('tsc -b && vite')).toContain('-- --host')
    expect(await dev('vite & tsc -w')).not.toContain('--host')
    expect(await dev('node server.js')).not.toContain('--host')
    expect(await dev('npm run web')).not.toContain('--host')
  })

  it.each([
    'null',
    '[]',
    '"text"',
    '{',
    '',
    '{"scripts": null, "name": 3, "dependencies": ["vite"], "engines": "x", "packageManager": {}}',
    '{"scripts": {"dev": 5, "start": ["a"]}, "devDependencies": "vite", "engines": {"node": {}}, "volta": 1}',
    '{"scripts": "dev", "engines": [null, {}], "devEngines": {"runtime": [null]}, "workspaces": 1}',
    '{"name": "../..", "packageManager": "yarn@", "dependencies": {"__proto__": {}}}',
  ])('writes a moat.yaml beside the package.json %j', async (text) => {
    expect((await initialised({ 'package.json': text })).ports[0]?.options.port).toBe(3000)
  })

  it.each([
    ['utf8', '\ufeff'],
    ['utf16le', '\ufeff'],
  ] as const)('reads a package.json in %s with a byte order mark', async (encoding, mark) => {
    const text = Buffer.from(`${mark}${JSON.stringify({ name: 'marked' })}`, encoding)
    expect((await initialised({ 'package.json': text as unknown as string })).name).toBe('marked')
  })
})
