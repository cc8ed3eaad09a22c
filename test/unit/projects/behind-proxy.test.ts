// Owns what of a project's files and command tells of its framework, and that what a user has done is left alone.
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { giveSettings } from '../../../src/agents/plan/proxy-trust.js'
import { proxyTrust } from '../../../src/projects/behind-proxy.js'
import { putFiles } from '../../helpers/put-files.js'

let workspace: string

beforeEach(() => {
  workspace = mkdtempSync(join(tmpdir(), 'moat-behind-'))
})
afterEach(() => rmSync(workspace, { force: true, recursive: true }))

const write = (files: Record<string, string>) => putFiles(workspace, files)

async function trust(command = 'sleep infinity', env: Record<string, string> = {}, domain = 'localhost') {
  const { lines, settings } = await proxyTrust({
    command: command.split(' '),
    domain,
    endpoint: 'web-app',
    host: `shop.${domain}`,
    env,
    workspace,
  })
  return {
    lines: lines.map(({ title }) => title),
    variables: Object.assign({}, ...settings.map(({ variables }) => variables)) as Record<string, string>,
  }
}

const node = (...names: string[]) =>
  JSON.stringify({ dependencies: Object.fromEntries(names.map((name) => [name, '^1.0.0'])) })

describe('variables', () => {
  it.each<[string, Record<string, string>, Record<string, string>]>([
    ['FastAPI', { 'requirements.txt': 'fastapi[standard]>=0.115\n' }, { FORWARDED_ALLOW_IPS: '*' }],
    ['Uvicorn', { 'pyproject.toml': 'dependencies = ["uvicorn~=0.30"]' }, { FORWARDED_ALLOW_IPS: '*' }],
    ['Gunicorn', { Pipfile: '[packages]\ngunicorn = "*"\n' }, { FORWARDED_ALLOW_IPS: '*' }],
    [
      'ASP.NET',
      { 'Shop.csproj': '<Project Sdk="Microsoft.NET.Sdk.Web">\n' },
      { ASPNETCORE_FORWARDEDHEADERS_ENABLED: 'true' },
    ],
    [
      'Spring',
      { 'build.gradle': "implementation 'org.springframework.boot:spring-boot-starter-web'\n" },
      { SERVER_FORWARD_HEADERS_STRATEGY: 'framework' },
    ],
    [
      'Spring, Maven',
      { 'pom.xml': '<artifactId>spring-boot-starter-webflux</artifactId>' },
      { SERVER_FORWARD_HEADERS_STRATEGY: 'framework' },
    ],
    ['SvelteKit', { 'package.json': node('@sveltejs/adapter-node') }, { PROTOCOL_HEADER: 'x-forwarded-proto' }],
    [
      "Angular's server, whose project has Express too",
      { 'package.json': node('@angular/ssr', 'express') },
      {
        NG_ALLOWED_HOSTS: '*.localhost',
        NG_TRUST_PROXY_HEADERS: 'x-forwarded-for,x-forwarded-host,x-forwarded-proto',
      },
    ],
    [
      'Symfony',
      { 'composer.json': '{"require": {"symfony/framework-bundle": "7.*"}}' },
      {
        SYMFONY_TRUSTED_HEADERS: 'x-forwarded-for,x-forwarded-host,x-forwarded-proto',
        SYMFONY_TRUSTED_PROXIES: 'private_ranges',
      },
    ],
    ['no framework', { 'package.json': node('left-pad'), 'requirements.txt': 'fastapi-users-lite\n# fastapi\n' }, {}],
    ['a file that is broken', { 'package.json': '{' }, {}],
  ])('are those of %s', async (_, files, variables) => {
    write(files)
    expect(await trust()).toEqual({ lines: [], variables })
  })

  it('of a server of Python are there when the command calls it', async () => {
    expect((await trust('uvicorn main:app')).variables).toEqual({ FORWARDED_ALLOW_IPS: '*' })
    expect((await trust('node uvicorn-like.js')).variables).toEqual({})
  })

  it('are left to the user: in moat.yaml, in .env, in settings of the framework', async () => {
    write({ 'requirements.txt': 'uvicorn\n' })
    expect((await trust('x', { FORWARDED_ALLOW_IPS: '10.0.0.1' })).variables).toEqual({})
    write({ '.env': 'A=b\nexport FORWARDED_ALLOW_IPS=10.0.0.1\n' })
    expect((await trust()).variables).toEqual({})
    write({
      'pom.xml': '<artifactId>spring-boot-starter-web</artifactId>',
      'src/main/resources/application.properties': 'server.forward-headers-strategy=native\n',
    })
    expect((await trust()).variables).toEqual({})
  })

  it('are those of Rails, which takes hosts with one label below those it knows', async () => {
    write({ Gemfile: "gem 'rails', '~> 8.1'\n" })
    expect((await trust()).variables).toEqual({ RAILS_DEVELOPMENT_HOSTS: '.shop.localhost' })
    expect((await trust('bin/rails server', {}, 'moat.internal')).variables).toEqual({
      RAILS_DEVELOPMENT_HOSTS: '.shop.moat.internal',
    })
    write({ 'config/environments/development.rb': "config.hosts << '.shop.moat.internal'\n" })
    expect((await trust('bin/rails server', {}, 'moat.internal')).variables).toEqual({})
  })

  it.each(["gem 'rails', '~> 6.1.7', '>= 6.1.7.10'\n", 'gem "rails", "6.0.4"\n', 'gem "rails", ">= 6.1", "< 7"\n'])(
    'are none of Rails before 7, which has a line: %j',
    async (gemfile) => {
      write({ Gemfile: gemfile })
      const asked = {
        command: ['rails'],
        domain: 'localhost',
        endpoint: 'web',
        env: {},
        host: 'shop.localhost',
        workspace,
      }
      expect(await proxyTrust(asked)).toEqual({
        lines: [
          {
            line: "config.hosts << '.shop.localhost'",
            says: 'takes no host with two labels below localhost',
            title: 'Rails',
            to: 'config/environments/development.rb',
          },
        ],
        settings: [],
        settled: [],
      })
    },
  )

  it.each(['vite', '@angular/build'])('are those of Vite there too: %s', async (name) => {
    write({ 'package.json': node(name) })
    expect((await trust()).variables).toEqual({})
    expect((await trust('npm run dev', {}, 'moat.test')).variables).toEqual({
      __VITE_ADDITIONAL_SERVER_ALLOWED_HOSTS: '.moat.test',
    })
  })

  it('are left to the image', () => {
    const settings = [
      { ofCommand: false, title: 'Uvicorn', variables: { FORWARDED_ALLOW_IPS: '*' } },
      { ofCommand: true, title: 'Django', variables: { HTTPS: 'on' } },
    ]
    expect(giveSettings(settings, ['run'], {})).toEqual({
      command: ['env', 'HTTPS=on', 'run'],
      env: { FORWARDED_ALLOW_IPS: '*' },
      told: [
        'So that Uvicorn works behind the proxy: FORWARDED_ALLOW_IPS=*',
        'So that Django works behind the proxy: HTTPS=on',
      ],
    })
    const image = { FORWARDED_ALLOW_IPS: 'x', HTTPS: 'off' }
    expect(giveSettings(settings, ['run'], image)).toEqual({ command: ['run'], env: {}, told: [] })
    expect(giveSettings(settings, undefined, {}).command).toBeUndefined()
  })
})

describe('Django', () => {
  const manage = { 'manage.py': 'from django.core.management import execute_from_command_line\n' }

  it('has a variable for its own server, for the command alone', async () => {
    write({ ...manage, 'package.json': '{"scripts": {"dev": "python manage.py runserver"}}' })
    const asked = { domain: 'localhost', endpoint: 'web', env: {}, host: 'shop.localhost', workspace }
    for (const command of [
      ['python', 'manage.py', 'runserver'],
      ['npm', 'run', 'dev'],
    ]) {
      const { settings } = await proxyTrust({ ...asked, command })
      expect(settings).toEqual([{ ofCommand: true, title: 'Django', variables: { HTTPS: 'on' } }])
    }
  })

  it('has a line otherwise, until it is there', async () => {
    write(manage)
    expect(await trust('claude')).toEqual({ lines: ['Django'], variables: {} })
    write({ 'requirements.txt': 'django\ndaphne\n' })
    expect(await trust('python manage.py runserver')).toEqual({ lines: ['Django'], variables: {} })
    write({ 'shop/settings.py': "SECURE_PROXY_SSL_HEADER = ('HTTP_X_FORWARDED_PROTO', 'https')\n" })
    expect(await trust('python manage.py runserver')).toEqual({ lines: [], variables: {} })
  })
})

describe('Astro', () => {
  it('has a line for its dev server and one for what is built, and none for a site without a server', async () => {
    const asked = { domain: 'moat.test', endpoint: 'web', env: {}, host: 'shop.localhost', workspace }
    const lineFor = async (...command: string[]) =>
      (await proxyTrust({ ...asked, command })).lines.map(({ line }) => line)
    write({ 'package.json': node('astro') })
    expect(await lineFor('astro', 'dev')).toEqual([])
    write({ 'package.json': node('astro', '@astrojs/node') })
    expect(await lineFor('astro', 'dev')).toEqual(['security: { checkOrigin: !process.env.MOAT_ORIGIN_WEB }'])
    expect(await lineFor('node', 'dist/server/entry.mjs')).toEqual([
      "security: { allowedDomains: [{ hostname: '**.moat.test' }] }",
    ])
  })
})

it('says of a framework that wants nothing more why', async () => {
  write({
    '.env': 'PROTOCOL_HEADER=x\n',
    'package.json': node('vite', 'koa', '@sveltejs/adapter-node'),
    'requirements.txt': 'gunicorn\n',
    'src/app.js': 'app.proxy = true\n',
  })
  const env = { FORWARDED_ALLOW_IPS: '10.0.0.1' }
  expect(
    await proxyTrust({ command: ['x'], domain: 'localhost', endpoint: 'web', env, host: 'shop.localhost', workspace }),
  ).toEqual({
    lines: [],
    settings: [],
    settled: [
      { title: 'Gunicorn', why: 'FORWARDED_ALLOW_IPS is set already.' },
      { title: 'Vite', why: 'It takes hosts below localhost as they are.' },
      { title: 'SvelteKit', why: 'A .env file sets PROTOCOL_HEADER.' },
      { title: 'Koa', why: "The project's files have .proxy." },
    ],
  })
})

describe('lines', () => {
  it.each([
    ['Flask', { 'requirements.txt': 'Flask\n' }, 'flask run', { 'shop/__init__.py': 'ProxyFix(app)\n' }],
    ['Express', { 'package.json': node('express') }, 'node server', { 'server.js': "app.set('trust proxy', 1)\n" }],
    ['Fastify', { 'package.json': node('fastify') }, 'node server', { 'src/a/b.ts': 'trustProxy: true\n' }],
    ['Koa', { 'package.json': node('koa') }, 'node server', { 'app.mjs': 'app.proxy = true\n' }],
    [
      'Astro',
      { 'package.json': node('astro', '@astrojs/node') },
      'astro dev',
      { 'astro.config.mjs': 'security: { checkOrigin: false }\n' },
    ],
    [
      'Astro',
      { 'package.json': node('astro', '@astrojs/node') },
      'node dist/server/entry.mjs',
      { 'astro.config.mjs': "security: { allowedDomains: [{ hostname: 'a.localhost' }] }\n" },
    ],
    [
      'Laravel',
      { 'composer.json': '{"require": {"laravel/framework": "^12"}}' },
      'php artisan serve',
      { 'bootstrap/app.php': "$m->trustProxies('*');\n" },
    ],
    [
      'Phoenix',
      { 'mix.exs': '{:phoenix, "~> 1.8"},\n' },
      'mix phx.server',
      { 'lib/a/endpoint.ex': 'Plug.RewriteOn\n' },
    ],
  ])('are said of %s until they are there', async (title, files, command, done) => {
    write(files)
    expect((await trust(command)).lines).toEqual([title])
    // Neither what others wrote, nor what is a comment.
    write(Object.fromEntries(Object.entries(done).map(([name, text]) => [`node_modules/${name}`, text])))
    write(Object.fromEntries(Object.entries(done).map(([name, text]) => [`env-x/lib/${name}`, text])))
    write({ 'env-x/pyvenv.cfg': '', [Object.keys(done)[0] ?? '']: '' })
    expect((await trust(command)).lines).toEqual([title])
    write(done)
    expect((await trust(command)).lines).toEqual([])
  })

  it('name the endpoint where they need its origin', async () => {
    write({ 'package.json': '{"scripts": {"preview": "vite preview"}, "devDependencies": {"@sveltejs/kit": "1"}}' })
    const { lines } = await proxyTrust({
      command: ['npm', 'run', 'preview'],
      domain: 'localhost',
      endpoint: 'web-app',
      host: 'shop.localhost',
      env: {},
      workspace,
    })
    expect(lines[0]?.line).toContain('process.env.MOAT_ORIGIN_WEB_APP,')
  })

  it('are looked for in no time, whatever lies there', async () => {
    write({ 'package.json': node('express', 'koa', 'fastify'), '.env': '\n'.repeat(120_000) })
    const files = Array.from({ length: 450 }, (_, index) => [`src/f${index}.js`, `${' '.repeat(60)}\n`.repeat(500)])
    write({ ...Object.fromEntries(files), 'big.js': '\n'.repeat(120_000), 'requirements.txt': ' \n'.repeat(60_000) })
    const began = performance.now()
    expect((await trust()).lines).toEqual(['Express', 'Fastify', 'Koa'])
    expect(performance.now() - began).toBeLessThan(5_000)
  })

  it('are not looked for outside of the project', async () => {
    write({ 'package.json': node('koa') })
    const outside = mkdtempSync(join(tmpdir(), 'moat-outside-'))
    writeFileSync(join(outside, 'app.js'), 'app.proxy = true\n')
    symlinkSync(outside, join(workspace, 'linked'))
    symlinkSync(join(outside, 'app.js'), join(workspace, 'app.js'))
    expect((await trust()).lines).toEqual(['Koa'])
    rmSync(outside, { force: true, recursive: true })
  })
})
