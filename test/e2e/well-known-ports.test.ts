// Ports 80 and 443 for an ordinary user: with sudo once, and the ways without it. Their numbers are what this is about, so
// this is the one test that cannot take any free port. And an engine of the user's own, which is not root either.
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest'
import type { ProxyStatus } from '../../src/supervisor/proxy.js'
import { OrdinaryUser } from '../helpers/ordinary-user.js'
import { podmanConfiguration } from '../helpers/podman.js'
import { requireProgram } from '../helpers/trust-machine.js'
import { until } from '../helpers/until.js'

let user: OrdinaryUser

beforeAll(() => {
  user = new OrdinaryUser(inject('packedMoat'))
  user.output(`mkdir app && cd app && cat > moat.yaml <<'END'
name: app
dependencies: [node@22]
ports: {web: 3000}
command: [node, -e, "require('http').createServer((_, r) => r.end('hello')).listen(3000)"]
END`)
})
afterEach(() => {
  user.run('moat stop app; moat proxy stop')
})
afterAll(() => user?.cleanUp())

const status = () => JSON.parse(user.output('moat proxy status --json')) as ProxyStatus

/** The fields of a process's status: `Uid` is real, effective, saved and file system id. */
function processStatus(pid: number): Record<string, string> {
  const lines = readFileSync(`/proc/${pid}/status`, 'utf8').trim().split('\n')
  return Object.fromEntries(lines.map((line) => line.split(/:\s+/) as [string, string]))
}

/** Status, location and body of a URL's answer. */
function get(url: string): Promise<[number | undefined, string | undefined, string]> {
  const { hostname, pathname, protocol, search } = new URL(url)
  const ca = readFileSync(join(user.home, '.moat/proxy/ca/ca.crt'))
  return new Promise((resolve, reject) => {
    const target = {
      headers: { Host: hostname },
      host: '127.0.0.1',
      path: `${pathname}${search}`,
      servername: hostname,
    }
    const options = { agent: false as const, ca, ...target }
    const request =
      protocol === 'https:' ? httpsRequest({ ...options, port: 443 }) : httpRequest({ ...options, port: 80 })
    request.on('error', reject).on('response', (response) => {
      let body = ''
      response.on('data', (chunk) => {
        body += chunk
      })
      response.on('end', () => resolve([response.statusCode, response.headers.location, body]))
    })
    request.end()
  })
}

const noCapabilities = '0000000000000000'

describe('sudo moat proxy start --port 443', () => {
  it('serves both ports for a user who needs sudo for nothing else, and leaves nothing of root', async () => {
    user.output('sudo moat proxy start --port 443 --detach')
    const { caddy, port, supervisor } = status()
    expect(port).toBe(443)

    // Caddy got its sockets, and has no right that the user has not.
    const ids = Array(4).fill(user.uid).join('\t')
    const privileges = processStatus(caddy?.pid ?? 0)
    expect(privileges.Uid).toBe(ids)
    for (const kind of ['CapInh', 'CapPrm', 'CapEff', 'CapAmb'])
      expect([kind, privileges[kind]]).toEqual([kind, noCapabilities])
    // Not even the groups, that of the container engine among them.
    expect(privileges.Groups?.trim()).toBe('')
    // The supervisor acts as the user too; it can take root back, for a socket when Caddy has died.
    const [real, effective] = processStatus(supervisor?.pid ?? 0).Uid?.split('\t') ?? []
    expect([real, effective]).toEqual(['0', String(user.uid)])

    expect(user.output('moat run -d app')).toBe('https://web.app.localhost  → app container:3000\n')
    expect(user.output('moat list')).toMatch(/^app +run_[0-9a-f]{12} +running .* web:3000$/m)
    expect(user.output('moat proxy status')).toContain('Port: 443\n')
    await until('an answer', async () => (await get('https://web.app.localhost/'))[2] === 'hello')
    const redirected = [308, 'https://web.app.localhost/a?b=c', expect.any(String)]
    // A Caddy with layer4 serves both.
    expect(await get('http://web.app.localhost/a?b=c')).toEqual(caddy?.layer4 ? [200, undefined, 'hello'] : redirected)
    expect(user.output('moat exec app -- printenv MOAT_URL_WEB')).toBe('http://web.app.localhost\n')

    // Inside, too, where the user is no more root than outside.
    const ask = 'fetch(process.env.MOAT_URL_WEB).then((r) => r.text()).then((text) => console.log(text))'
    expect(user.output(`moat exec app -- node -e '${ask}'`)).toBe('hello\n')

    process.kill(caddy?.pid ?? 0, 'SIGKILL')
    await until('Caddy to be back on its port', async () => (await get('https://web.app.localhost/'))[2] === 'hello')
    expect(processStatus(status().caddy?.pid ?? 0).Uid).toBe(ids)

    expect(user.output('moat stop app')).toMatch(/^Stopped app /)
    expect(user.output('moat proxy stop')).toBe('Routing proxy stopped.\n')
    expect(execFileSync('find', [user.home, '-user', 'root'], { encoding: 'utf8' })).toBe('')
    await expect(get('https://web.app.localhost/')).rejects.toThrow('ECONNREFUSED')
  })
})

describe('without sudo', () => {
  it('the error names every way to the port', () => {
    expect(user.run('moat proxy start --port 443 --detach')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(`Error: Port 443 may only be used by root on this machine.

Try this:
  sudo moat proxy start --port 443
  sudo sysctl net.ipv4.ip_unprivileged_port_start=80   # from then on without sudo, for every program
  sudo setcap cap_net_bind_service=+ep ${user.node}   # the same, for every program that this Node runs
  moat proxy start --port 8080
`),
    })
  })

  it('a Node that may bind such ports is enough, and Caddy does not get the right', async () => {
    user.output(`sudo setcap cap_net_bind_service=+ep ${user.node}`)
    user.output('moat proxy start --port 80 --detach')
    user.output('moat run -d app')
    await until('an answer', async () => (await get('https://web.app.localhost/'))[2] === 'hello')
    expect((await get('http://web.app.localhost/'))[0]).toBe(status().caddy?.layer4 ? 200 : 308)
    const privileges = processStatus(status().caddy?.pid ?? 0)
    expect([privileges.CapEff, privileges.CapPrm]).toEqual([noCapabilities, noCapabilities])
    user.output('moat stop app && moat proxy stop')
    user.output(`sudo setcap -r ${user.node}`)
  })
})

describe('a strict network policy on a Podman without root', () => {
  it('holds: what is allowed is reached by moat, and nothing else is', async () => {
    requireProgram('newuidmap', 'uidmap')
    const host = createServer((_, response) => response.end('stub'))
    host.listen(0, '127.0.0.1')
    await once(host, 'listening')
    // Of a shell alone, since a Podman without root copies whole images.
    const command = `echo /sys/class/net/*
      ask() { exec 3<>/dev/tcp/127.0.0.1/61080; printf 'GET http://%s/ HTTP/1.0\\r\\n\\r\\n' $1 >&3; read -r line <&3; echo "$line"; }
      ask api.test; ask other.test
      (exec 3<>/dev/tcp/203.0.113.80/80) 2>&1 || echo unreachable`
    const yaml = `name: walled
base_image: localhost/shell
command: ${JSON.stringify(['bash', '-c', command])}
network: {policy: strict, rules: [api.test]}`
    const variables = 'export XDG_RUNTIME_DIR=$HOME/run CONTAINERS_CONF=$HOME/containers.conf;'
    try {
      user.output(`mkdir -m 700 run walled; cat >containers.conf <<'END'\n${podmanConfiguration()}END
cat >walled/moat.yaml <<'END'\n${yaml}\nEND`)
      user.output(`${variables} libraries=$(ldd /bin/bash | grep -o '/[^ ]*')
        tar -chf - -C / bin/bash bin/sh $(echo "$libraries" | cut -c 2-) | podman import - localhost/shell`)
      const { port } = host.address() as AddressInfo
      const said = await user.outputMeanwhile(`${variables}
        export DOCKER_HOST=unix://$HOME/run/podman.sock MOAT_PROXY_PORT=0 MOAT_TEST_HOSTS=api.test:80=127.0.0.1:${port}
        podman system service --time=0 "$DOCKER_HOST" 2>service.log & trap "kill $!; wait" EXIT
        while ! [ -S run/podman.sock ]; do kill -0 $! || exit 1; sleep 0.1; done
        moat run --yes walled && moat proxy stop >/dev/null`)
      const [network, allowed, refused, ...direct] = said.split(/\r?\n/).filter(Boolean)
      expect([network, allowed, refused]).toEqual(['/sys/class/net/lo', 'HTTP/1.1 200 OK', 'HTTP/1.1 403 Forbidden'])
      expect(direct.join()).toMatch(/Network is unreachable.*unreachable$/)
    } finally {
      user.run(`${variables} podman system reset --force`)
      host.close()
    }
  })
})
