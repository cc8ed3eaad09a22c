// Other proxies in front of the same server, for comparison: nginx with TLS, to the container's address, and portless from npm,
// whose servers run on the host. Both with the certificate of moat's agent.
import { execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { dirname, join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'

const image = (container) =>
  execFileSync('docker', ['inspect', '-f', '{{.Image}}', container], { encoding: 'utf8' }).trim()

/** By name, as `load` in way-in.mjs takes them. */
export async function startOthers({ now, work }) {
  const place = join(work, 'others')
  mkdirSync(place)
  const { certificate, key } = certificateOf(now, place)
  const [front, plain, port] = [await freePort(), await freePort(), await freePort()]
  const nginx = startNginx({ front, now, place, plain, work })
  const portless = await startPortless({ certificate, key, now, place, plain, port })
  await Promise.all([front, plain, port].map(listening))
  return {
    'nginx with TLS, to the address': { host: now.host, pid: nginx.pid(), port: front, stop: nginx.stop },
    'portless, server on the host': { host: now.host, pid: portless.pid, port, stop: () => portless.kill() },
  }
}

/** Certificate and key of the agent, which moat keeps in one file. */
function certificateOf({ home, host }, place) {
  const [, agent] = /([^.]+)\.localhost$/.exec(host)
  const leaf = readFileSync(join(home, `proxy/leaves/${agent}.pem`), 'utf8')
  const [certificate, key] = ['tls.crt', 'tls.key'].map((name) => join(place, name))
  const isKey = /-----BEGIN [A-Z ]*PRIVATE KEY-----[^-]*-----END [A-Z ]*PRIVATE KEY-----\n?/
  writeFileSync(certificate, leaf.replace(isKey, ''), { mode: 0o600 })
  writeFileSync(key, isKey.exec(leaf)[0], { mode: 0o600 })
  return { certificate, key }
}

function startNginx({ front, now, place, plain, work }) {
  writeFileSync(
    join(place, 'nginx.conf'),
    `worker_processes 1;
error_log /dev/null;
pid /tmp/nginx.pid;
events { worker_connections 4096; }
http {
  access_log off; sendfile on; keepalive_requests 1000000;
  upstream app { server ${now.container}:3000; keepalive 64; }
  server {
    listen 127.0.0.1:${front} ssl http2;
    ssl_certificate /bench/tls.crt; ssl_certificate_key /bench/tls.key;
    location / { proxy_pass http://app; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $host; }
  }
  server { listen 127.0.0.1:${plain}; root /app; }
}
`,
  )
  const volumes = ['-v', `${place}:/bench:ro`, '-v', `${join(work, 'now-app')}:/app:ro`]
  const command = ['nginx', '-c', '/bench/nginx.conf', '-g', 'daemon off;']
  const id = execFileSync(
    'docker',
    [
      'run',
      '-d',
      '--rm',
      '--network',
      'host',
      ...volumes,
      '--entrypoint',
      command[0],
      image(now.id),
      ...command.slice(1),
    ],
    { encoding: 'utf8' },
  ).trim()
  const pid = () => {
    const first = execFileSync('docker', ['inspect', '-f', '{{.State.Pid}}', id], { encoding: 'utf8' }).trim()
    // The one that works is the child.
    return Number(readFileSync(`/proc/${first}/task/${first}/children`, 'utf8').trim().split(' ')[0])
  }
  return { pid, stop: () => execFileSync('docker', ['rm', '-f', id], { stdio: 'ignore' }) }
}

async function startPortless({ certificate, key, now, place, plain, port }) {
  const env = {
    ...process.env,
    HOME: place,
    PORTLESS_PORT: String(port),
    PORTLESS_STATE_DIR: join(place, 'portless'),
    PORTLESS_SYNC_HOSTS: '0',
  }
  const options = { cwd: place, env, stdio: 'ignore' }
  execFileSync('npm', ['install', '--prefix', place, '--no-audit', '--no-fund', '--silent', 'portless'], options)
  const bin = join(place, 'node_modules/portless/package.json')
  const { bin: bins } = JSON.parse(readFileSync(bin, 'utf8'))
  const program = join(dirname(bin), typeof bins === 'string' ? bins : bins.portless)
  if (!existsSync(program)) throw new Error('portless has no program')
  const secured = ['--cert', certificate, '--key', key]
  const child = spawn(
    process.execPath,
    [program, 'proxy', 'start', '-p', String(port), ...secured, '--foreground'],
    options,
  )
  await listening(port)
  execFileSync(process.execPath, [program, 'alias', now.host.replace(/\.localhost$/, ''), String(plain)], options)
  return child
}

function freePort() {
  return new Promise((done) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address()
      server.close(() => done(port))
    })
  })
}

/** Resolves once somebody listens. Bounded by 10 s. */
async function listening(port) {
  const line = `:${port.toString(16).toUpperCase().padStart(4, '0')} 00000000:0000 0A`
  for (const end = performance.now() + 10_000; performance.now() < end; await wait(20))
    if (readFileSync('/proc/net/tcp', 'utf8').includes(line)) return
  throw new Error(`nothing listens on port ${port}`)
}
