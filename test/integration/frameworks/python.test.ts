// Python's frameworks as they are made, behind the proxy: Django's forms, FastAPI's redirects, and Flask with the line that it needs.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startBrowser, type TestBrowser } from '../../helpers/browser.js'
import { installPython } from '../../helpers/pip-project.js'
import { Sandbox } from '../../helpers/sandbox.js'

interface Started {
  endpoints: { name: string; url: string }[]
  name: string
  notes?: string[]
}

let browser: TestBrowser
let sandbox: Sandbox

beforeAll(async () => {
  sandbox = new Sandbox()
  // One for all: what Python compiles of it is there for the next, and no snapshot has to take it in.
  await installPython(sandbox.directory('packages'), [
    'django==5.2.19',
    'fastapi==0.165.0',
    'flask==3.1.3',
    'gunicorn==27.0.1',
    'uvicorn==0.54.0',
  ])
  const { port } = await sandbox.json<{ port: number }>(['proxy', 'start', '--detach'])
  browser = await startBrowser(sandbox, port)
}, 240_000)
afterAll(async () => {
  await browser?.close()
  await sandbox.cleanUp()
})

/** Starts it, and waits until it answers. */
async function start(name: string, command: string, files: Record<string, string> = {}, flags: string[] = []) {
  const directory = sandbox.directory(name, {
    ...files,
    'moat.yaml': `name: ${name}\ndependencies: [node@22, "apt:python3"]\nports: {web: 8000}\nenv: {PYTHONPATH: /packages}\nmounts: ["../packages:/packages"]\ncommand: ${command}\n`,
  })
  const started = await sandbox.json<Started>(['run', '-d', directory, ...flags])
  await sandbox.json(['wait', name, 'web', '--timeout', '30'])
  return { notes: started.notes, url: started.endpoints[0]?.url ?? '' }
}

const inside = async (agent: string, script: string) => (await sandbox.inside(agent, 'sh', '-c', script)).stdout

const fastapi = `
from fastapi import FastAPI, Request
app = FastAPI()
@app.get('/items/')
def items(request: Request):
    return str(request.url)
`

const flask = (line = '') => `
from flask import Flask, url_for
app = Flask(__name__)
${line}
@app.get('/')
def root():
    return url_for('root', _external=True)
`

describe('Django', () => {
  const admin = `sh -c "[ -f manage.py ] || python3 -m django startproject shop . && python3 manage.py migrate >/dev/null && DJANGO_SUPERUSER_PASSWORD=secret python3 manage.py createsuperuser --noinput --username admin --email a@example.com; exec python3 manage.py runserver 8000"`

  it('takes the login of a project as startproject makes it, with no setting, at both of its hosts', async () => {
    const { notes, url } = await start('shop', admin, { 'requirements.txt': 'Django~=5.2\n' })
    expect(notes).toBeUndefined()
    for (const origin of [url, url.replace('web.', '')]) {
      const page = await browser.context.newPage()
      await page.goto(`${origin}/admin/`)
      await page.fill('#id_username', 'admin')
      await page.fill('#id_password', 'secret')
      await page.click('input[type=submit]')
      await page.getByText('Site administration').first().waitFor({ timeout: 20_000 })
      expect(page.url()).toBe(`${origin}/admin/`)
      await page.close()
    }
    // What else runs there, tests with servers of their own for one, is told nothing.
    expect(await inside('shop', 'echo "$HTTPS"')).toBe('\n')
  }, 120_000)
})

describe('FastAPI', () => {
  it('redirects to https, also when it listens where its own default trusts nobody', async () => {
    const requirements = { 'main.py': fastapi, 'requirements.txt': 'fastapi\nuvicorn\n' }
    for (const [name, host] of [
      ['items', '127.0.0.1'],
      ['items-else', '$(hostname -i)'],
    ] as const) {
      const { url } = await start(name, `python3 -m uvicorn main:app --port 8000 --host ${host}`, requirements)
      const redirect = await sandbox.get(`${url}/items`)
      expect(redirect).toMatchObject({ headers: { location: `${url}/items/` }, status: 307 })
      expect((await sandbox.get(`${url}/items/`)).body).toBe(JSON.stringify(`${url}/items/`))
    }
  })
})

describe('Flask', () => {
  it('knows its URL behind Gunicorn, and with the line that moat run names', async () => {
    const gunicorn = await start('guni', 'python3 -m gunicorn -b 127.0.0.1:8000 app:app', { 'app.py': flask() })
    expect(gunicorn.notes).toBeUndefined()
    expect((await sandbox.get(gunicorn.url)).body).toBe(`${gunicorn.url}/`)

    const command = 'python3 -m flask run --port 8000'
    const bare = await start('bare', command, { 'app.py': flask(), 'requirements.txt': 'Flask==3.1.3\n' })
    expect((await sandbox.get(bare.url)).body).toBe(`${bare.url.replace('https:', 'http:')}/`)
    const line = /^Flask does not know that its URL is https; add to the file that makes the app: (.*)$/.exec(
      bare.notes?.[0] ?? '',
    )?.[1]
    expect(line).toContain('ProxyFix')

    const files = { 'app.py': flask(line), 'requirements.txt': 'Flask==3.1.3\n' }
    const told = await start('told', command, files)
    expect(told.notes).toBeUndefined()
    expect((await sandbox.get(told.url)).body).toBe(`${told.url}/`)
  })
})
