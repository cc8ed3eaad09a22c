import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { hostHint } from '../../../src/projects/host-hint.js'
import { dotted, wildcards } from '../../../src/projects/host-patterns.js'

let outside: string
let workspace: string

beforeEach(() => {
  workspace = mkdtempSync(join(tmpdir(), 'moat-hint-'))
  outside = mkdtempSync(join(tmpdir(), 'moat-outside-'))
})
afterEach(() => {
  for (const directory of [outside, workspace]) rmSync(directory, { force: true, recursive: true })
})

function write(file: string, content: object | string, root = workspace): void {
  mkdirSync(dirname(join(root, file)), { recursive: true })
  writeFileSync(join(root, file), typeof content === 'string' ? content : JSON.stringify(content))
}

interface Case {
  bare?: boolean
  command?: string[]
  domain?: string
  files?: Record<string, object | string>
  package?: string
  scripts?: Record<string, unknown>
  version?: string
}

/** What is told of the agent `app` with the endpoint `web`; by default a project made by create-next-app. */
async function hint(options: Case = {}) {
  const { bare = true, command = ['npm', 'run', 'dev'], domain = 'localhost', files = {}, version } = options
  const { package: name = 'next', scripts = { build: 'next build', dev: 'next dev', start: 'next start' } } = options
  write('package.json', { dependencies: { [name]: version ?? '^16' }, scripts })
  if (version !== undefined) write(`node_modules/${name}/package.json`, { version })
  for (const [file, content] of Object.entries(files)) write(file, content)
  const endpoints = [{ bare, host: `web.app.${domain}`, name: 'web', port: 3000 }]
  return hostHint({ agent: `app.${domain}`, command, endpoints, workspace })
}

const config = (setting: string) => ({
  'next.config.ts': `export default {\n  reactStrictMode: true,\n  ${setting}\n}\n`,
})

describe('of a Next.js project', () => {
  it('says what versions need that refuse hosts with two labels, and nothing of others', async () => {
    const told = {
      config: 'next.config.js',
      endpoint: 'web',
      line: "allowedDevOrigins: ['*.app.localhost']",
      takesAgent: true,
    }
    expect(await hint({ version: '16.2.0' })).toEqual({ ...told, title: 'Next.js 16.2.0' })
    expect(await hint({ version: '16.2.12' })).toEqual({ ...told, title: 'Next.js 16.2.12' })
    for (const version of ['14.2.35', '15.5.29', '16.1.7', '16.3.0', '16.4.6', '17.0.0'])
      expect(await hint({ version }), version).toBeUndefined()
  })

  it('names the file of configuration that is there', async () => {
    expect(await hint({ files: config('images: {},'), version: '16.2.12' })).toMatchObject({ config: 'next.config.ts' })
  })

  it('keeps what the setting has, and says nothing when that takes the host', async () => {
    const line = "allowedDevOrigins: ['a.test', '*.app.localhost']"
    expect(await hint({ files: config("allowedDevOrigins: ['a.test',],"), version: '16.2.12' })).toMatchObject({ line })
    // Older ones refuse hosts once there is a setting.
    expect(await hint({ files: config("allowedDevOrigins: ['a.test'],"), version: '15.5.29' })).toMatchObject({ line })
    for (const taken of ['web.app.localhost', '*.app.localhost', '*.*.localhost', '**.localhost'])
      expect(
        await hint({ files: config(`"allowedDevOrigins": ["${taken}"],`), version: '16.2.12' }),
        taken,
      ).toBeUndefined()
  })

  it('says nothing of a setting that it cannot read, and does not take a comment for one', async () => {
    for (const value of ['hosts', '[...hosts]', '[`*.${name}`]', "process.env.CI ? [] : ['a']"])
      expect(await hint({ files: config(`allowedDevOrigins: ${value},`), version: '16.2.12' }), value).toBeUndefined()
    const comment = config("// allowedDevOrigins: ['*.app.localhost'],")
    expect(await hint({ files: comment, version: '16.2.12' })).toBeDefined()
  })

  it('is for the development server only, however it is started', async () => {
    const told = async (command: string[], scripts?: Record<string, string>) =>
      (await hint({ command, version: '16.2.12', ...(scripts && { scripts }) })) !== undefined
    for (const command of [
      ['pnpm', 'dev'],
      ['sh', '-c', 'npm ci && npm run dev'],
      ['npx', 'next'],
      ['next', 'dev', '-p', '80'],
    ])
      expect(await told(command), command.join(' ')).toBe(true)
    expect(await told(['npm', 'start'], { dev: 'next dev --turbopack', start: 'npm run dev' })).toBe(true)
    for (const command of [
      ['npm', 'start'],
      ['npx', 'next', 'start'],
      ['npm', 'run', 'build'],
      ['node', 'server.js'],
      [],
    ])
      expect(await told(command), command.join(' ')).toBe(false)
  })

  it('takes the version from the lock file or package.json where nothing is installed yet', async () => {
    const lock = { packages: { 'node_modules/next': { version: '16.2.3' } } }
    expect(await hint({ files: { 'package-lock.json': lock } })).toMatchObject({ title: 'Next.js 16.2.3' })
    rmSync(join(workspace, 'package-lock.json'))
    expect(await hint()).toBeUndefined()
    write('package.json', { dependencies: { next: '16.2.4' }, scripts: { dev: 'next dev' } })
    const endpoints = [{ bare: true, host: 'web.app.localhost', name: 'web', port: 4000 }]
    const asked = { agent: 'app.localhost', command: ['npm', 'run', 'dev'], endpoints, workspace }
    expect(await hostHint(asked)).toMatchObject({ title: 'Next.js 16.2.4' })
    // Of several, the one with the framework's port.
    const api = { bare: false, host: 'api.app.localhost', name: 'api', port: 3000 }
    expect(await hostHint({ ...asked, endpoints: [...endpoints, api] })).toMatchObject({ endpoint: 'api' })
  })

  it('takes neither host where the agent is reached by another domain', async () => {
    const line = "allowedDevOrigins: ['app.moat.test', '*.app.moat.test']"
    const told = await hint({ domain: 'moat.test', version: '16.4.3' })
    expect(told).toMatchObject({ line, takesAgent: false })
    expect(await hint({ bare: false, version: '16.2.12' })).toMatchObject({ takesAgent: false })
  })
})

describe('of a Vite project', () => {
  const vite = { package: 'vite', scripts: { dev: 'vite', preview: 'vite preview' } }

  it('has something to say of another domain than localhost only', async () => {
    expect(await hint({ ...vite, version: '8.4.0' })).toBeUndefined()
    const told = {
      config: 'vite.config.ts',
      line: "server: { allowedHosts: ['.app.moat.test'] }",
      title: 'Vite 6.0.11',
    }
    const files = { 'vite.config.ts': 'export default {}' }
    expect(await hint({ ...vite, domain: 'moat.test', files, version: '6.0.11' })).toMatchObject(told)
    // From then on there is a variable for it.
    expect(await hint({ ...vite, domain: 'moat.test', files, version: '6.1.0' })).toBeUndefined()
    expect(await hint({ ...vite, domain: 'moat.test', files, version: '5.4.11' })).toBeUndefined()
    const all = { 'vite.config.ts': 'export default { server: { allowedHosts: true } }' }
    expect(await hint({ ...vite, domain: 'moat.test', files: all, version: '6.0.11' })).toBeUndefined()
  })
})

describe('what an agent has planted', () => {
  it('is not followed out of the workspace, not waited for, and keeps nothing from running', async () => {
    write('package.json', { version: '16.2.12' }, outside)
    const plant: Record<string, (file: string) => void> = {
      directory: (file) => mkdirSync(file),
      link: (file) => symlinkSync(join(outside, 'package.json'), file),
      loop: (file) => symlinkSync(file, file),
      pipe: (file) => execFileSync('mkfifo', [file]),
      text: (file) => writeFileSync(file, '{"version": "16.2.12\u001b[2J"}'),
    }
    for (const [kind, make] of Object.entries(plant)) {
      for (const place of ['node_modules/next/package.json', 'package.json']) {
        write('package.json', { dependencies: { next: '^16' }, scripts: { dev: 'next dev' } })
        rmSync(join(workspace, place), { force: true, recursive: true })
        mkdirSync(dirname(join(workspace, place)), { recursive: true })
        make(join(workspace, place))
        const endpoints = [{ bare: true, host: 'web.app.localhost', name: 'web', port: 3000 }]
        const asked = { agent: 'app.localhost', command: ['npm', 'run', 'dev'], endpoints, workspace }
        expect(await hostHint(asked), `${kind} at ${place}`).toBeUndefined()
        rmSync(join(workspace, place), { force: true, recursive: true })
      }
    }
  })

  it('is no work either', async () => {
    const many = "allowedDevOrigins: ['".repeat(3_000)
    const start = performance.now()
    await hint({
      files: { 'next.config.ts': many },
      scripts: { dev: `next${' '.repeat(60_000)}x` },
      version: '16.2.12',
    })
    for (const json of [
      'null',
      '[]',
      '5',
      '{"dependencies": {"next": {}}, "scripts": 5}',
      '{"dependencies": 5}',
      '{',
    ]) {
      write('package.json', json)
      const endpoints = [{ bare: true, host: 'web.app.localhost', name: 'web', port: 3000 }]
      const asked = { agent: 'app.localhost', command: ['dev', '__proto__', 'constructor'], endpoints, workspace }
      expect(await hostHint(asked), json).toBeUndefined()
    }
    expect(performance.now() - start).toBeLessThan(2_000)
  })
})

describe('patterns of hosts', () => {
  it('are read as the frameworks read them', () => {
    const next = (pattern: string) =>
      ['localhost', 'a.localhost', 'b.a.localhost'].filter((host) => wildcards(pattern, host))
    expect(next('*.localhost')).toEqual(['a.localhost'])
    expect(next('**.localhost')).toEqual(['a.localhost', 'b.a.localhost'])
    expect(next('*.a.localhost')).toEqual(['b.a.localhost'])
    expect(next('localhost')).toEqual(['localhost'])
    for (const all of ['*', '**', '']) expect(next(all), all).toEqual([])
    const vite = (pattern: string) => ['localhost', 'a.localhost', 'alocalhost'].filter((host) => dotted(pattern, host))
    expect(vite('.localhost')).toEqual(['localhost', 'a.localhost'])
    expect(vite('localhost')).toEqual(['localhost'])
  })
})
