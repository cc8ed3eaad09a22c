// Programs in a container that read one file of authorities accept its own URLs, and what the image has them accept.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Sandbox } from '../../helpers/sandbox.js'

const ask = `
import os, ssl, sys
url = os.environ['MOAT_HTTPS_URL_WEB']
def with_requests():
    import requests
    return requests.get(url).text
def with_httpx():
    import httpx
    return httpx.get(url).text
print(with_requests(), '|', with_httpx())
`

let sandbox: Sandbox

const inside = async (script: string) => {
  const { code, stderr, stdout } = await sandbox.inside('app', 'sh', '-c', script)
  return code === 0 ? stdout : `exit ${code}: ${stdout}${stderr}`
}

beforeAll(async () => {
  sandbox = new Sandbox()
  const workspace = sandbox.workspace('app')
  sandbox.directory('app', {
    'ask.py': ask,
    'moat.yaml':
      'name: app\ndependencies: [node@22, git, "apt:python3-requests", "apt:python3-httpx"]\nports: {web: 3000}\ncommand: [node, server.js]\n',
  })
  await sandbox.json(['run', '-d', workspace])
  await sandbox.json(['wait', 'app', 'web', '--timeout', '30'])
}, 240_000)
afterAll(() => sandbox.cleanUp())

describe('in a container', () => {
  it('requests and httpx accept its own URLs', async () => {
    expect(await inside('python3 ask.py')).toBe('app 3000 | app 3000\n')
  })

  it('git does', async () => {
    const ask = 'git ls-remote "$MOAT_HTTPS_URL_WEB/x.git" 2>&1 && echo reached'
    expect(await inside(ask)).toBe('reached\n')
    // What git reads else.
    expect(await inside(`export GIT_SSL_CAINFO=/etc/ssl/certs/ca-certificates.crt; ${ask}`)).toContain('certificate')
  })

  it('all that the image trusts is in the file', async () => {
    const same = 'cat "$SSL_CERT_FILE" | head -c "$(stat -c %s $F)" | cmp - $F && echo same'
    expect(await inside(`F=/etc/ssl/certs/ca-certificates.crt; ${same}`)).toBe('same\n')
  })

  it('follows a new root', async () => {
    await sandbox.json(['proxy', 'ca', 'rotate'])
    expect(await inside('python3 ask.py')).toBe('app 3000 | app 3000\n')
  })
})
