// Programs in a container accept what the authority signs: curl, Node and Python, with a server beside them whose
// certificate comes from it.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { certificateFile } from '../../../src/agents/container/container-trust.js'
import { nameHash } from '../../../src/authority/publish-root.js'
import { forgeLeaf, openssl } from '../../helpers/forge.js'
import { Sandbox } from '../../helpers/sandbox.js'

const server = `
const { createServer } = require('node:https')
const { readFileSync } = require('node:fs')
createServer({ cert: readFileSync('leaf.crt'), key: readFileSync('leaf.key') }, (_, response) => response.end('hello'))
  .listen(4443, '127.0.0.1', () => {
    require('node:child_process').spawn('sh', ['ask.sh'], { stdio: 'inherit' }).on('exit', (code) => process.exit(code))
  })
`
const url = 'https://localhost:4443/'
const askNode = `node -e "fetch('${url}').then((r) => r.text()).then((t) => console.log('node', t), (e) => console.log('node', e.cause.code))"`
const askCurl = `echo "curl $(curl -sS ${url} 2>&1)"`
const askPython = `python3 -c "import urllib.request as r; print('python', r.urlopen('${url}').read().decode())"`

let sandbox: Sandbox

beforeEach(async () => {
  sandbox = new Sandbox()
  await sandbox.json(['proxy', 'start', '--detach'])
})
afterEach(() => sandbox.cleanUp())

function workspace(dependencies: string[], ask: string[]): string {
  const directory = sandbox.directory('app', {
    'ask.sh': `${ask.join('\n')}\n`,
    'moat.yaml': `name: app\ndependencies: ${JSON.stringify(dependencies)}\ncommand: [node, server.js]\n`,
    'server.js': server,
  })
  const root = { certificate: join(sandbox.home, 'proxy/ca/ca.crt'), key: join(sandbox.home, 'proxy/ca/ca.key') }
  const leaf = forgeLeaf(sandbox.directory('forged'), 'localhost', root)
  sandbox.directory('app', { 'leaf.crt': leaf.chain, 'leaf.key': readFileSync(leaf.key, 'utf8') })
  return directory
}

describe('in a container', () => {
  it('Node accepts the authority, and what its image had it accept before', async () => {
    const directory = workspace(['node@22'], [askNode, 'cat "$NODE_EXTRA_CA_CERTS"'])
    const outcome = await sandbox.moat(['run', directory])
    expect(outcome.stdout, outcome.stderr).toMatch(/^node hello\n/)
    expect(outcome.stdout).toContain(sandbox.certificate)
    const { Config } = await sandbox.docker.getImage('node:22-slim').inspect()
    const own = Config.Env?.find((pair) => pair.startsWith('NODE_EXTRA_CA_CERTS='))?.split('=')[1]
    const before = await sandbox.moat(['run', directory, '--', 'sh', '-c', own ? `cat ${own}` : 'true'])
    // Compared as a truth value: a bundle in a failure's report hides the failure.
    expect(outcome.stdout.includes(before.stdout.trim())).toBe(true)
  })

  it('curl, Python and Node of an image that moat built do, and cannot write where it is mounted', async () => {
    const stat = `stat -Lc '%a' ${certificateFile}; (echo x > /etc/moat/x) 2>&1 | grep -o Read-only; readlink /etc/moat/${nameHash}.0`
    const directory = workspace(['node@22', 'curl', 'apt:python3'], [askNode, askCurl, askPython, stat])
    const outcome = await sandbox.moat(['run', directory])
    expect(outcome.stdout, outcome.stderr).toMatch(/^node hello\ncurl hello\npython hello\n644\nRead-only\nca.crt\n$/)
  })

  it("the user's own NODE_EXTRA_CA_CERTS wins", async () => {
    const directory = workspace(['node@22'], [askNode])
    const outcome = await sandbox.moat(['run', directory, '-e', 'NODE_EXTRA_CA_CERTS=/nowhere'])
    expect(outcome.stdout, outcome.stderr).toContain('node UNABLE_TO_VERIFY_LEAF_SIGNATURE\n')
  })

  it('the link has the name under which OpenSSL looks for the root', () => {
    const file = join(sandbox.home, 'proxy/ca/ca.crt')
    expect(openssl('x509', '-in', file, '-noout', '-subject_hash')).toBe(`${nameHash}\n`)
  })
})
