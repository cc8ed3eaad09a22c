import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { loadMoatYaml } from '../../../src/config/moat-yaml.js'
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

describe('moat init', () => {
  it('knows frameworks, their ports and how they are made to listen', async () => {
    expect(
      await yamlFor(packageJson({ devDependencies: { vite: '8' }, name: '@acme/Shop_UI', scripts: { dev: 'vite' } })),
    ).toBe(`# From package.json, vite.
name: shop-ui
dependencies: [node@22]
ports: {web: 5173}
command: [npm, run, dev, --, --host]
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
dependencies: [node@24, pnpm]
ports: {web: 4000}
command: [pnpm, run, start]
`)
  })

  it('knows Python and Go', async () => {
    const pyproject = '[project]\nname = "api"\nrequires-python = ">=3.13"\ndependencies = ["fastapi"]\n'
    expect(await yamlFor({ 'pyproject.toml': pyproject })).toBe(`# From pyproject.toml, fastapi.
name: api
dependencies: [python@3.13]
ports: {web: 8000}
command: [uvicorn, main:app, --host, 0.0.0.0, --port, '8000', --reload]
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
})
