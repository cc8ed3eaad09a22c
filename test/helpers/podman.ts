// A Podman of the tests' own: its service on a temporary socket, with the base images that Docker has.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import Docker from 'dockerode'
import { until } from './until.js'

export interface Podman {
  /** For DOCKER_HOST. */
  address: string
  docker: Docker
  stop(): Promise<void>
}

/** Images stay here from one run to the next: copying them takes seconds. */
const storage = join(
  process.env.MOAT_SETUP_CACHE ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'moat-setup'),
  'podman',
)

/** Fails, rather than skips, where there is no Podman: scripts/test installs it where it may. */
export async function startPodman(images: string[]): Promise<Podman> {
  const directory = mkdtempSync(join(tmpdir(), 'moat-podman-'))
  const socketPath = join(directory, 'podman.sock')
  writeFileSync(join(directory, 'containers.conf'), podmanConfiguration())
  mkdirSync(storage, { mode: 0o700, recursive: true })
  const places = ['--root', join(storage, 'storage'), '--runroot', join(storage, 'run')]
  const service = spawn('podman', [...places, 'system', 'service', '--time=0', `unix://${socketPath}`], {
    env: { ...process.env, CONTAINERS_CONF: join(directory, 'containers.conf') },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let complaints = ''
  service.stderr.on('data', (chunk) => {
    complaints += chunk
  })
  const missing = once(service, 'error').then(([error]) => {
    throw new Error(`Podman does not run; as root: apt-get install -y podman catatonit (${error.message})`)
  })
  const docker = new Docker({ socketPath })
  const answers = until('an answer of Podman', () => docker.ping(), 20_000).catch((error) => {
    throw new Error(`${error.message}\n${complaints}`)
  })
  await Promise.race([missing, answers])
  for (const image of images) await copyImage(image, docker)
  return {
    address: `unix://${socketPath}`,
    docker,
    stop: async () => {
      await end(service)
      rmSync(directory, { force: true, recursive: true })
    },
  }
}

async function end(service: ChildProcess): Promise<void> {
  const closed = once(service, 'close')
  service.kill('SIGTERM')
  await closed
}

/** From the engine that the other tests use: no registry is needed. */
async function copyImage(image: string, podman: Docker): Promise<void> {
  const there = await podman
    .getImage(image)
    .inspect()
    .then(
      () => true,
      () => false,
    )
  if (there) return
  const answer = await podman.loadImage(await new Docker().getImage(image).get())
  answer.resume()
  await once(answer, 'end')
}

/** The contents of containers.conf, as machines need it on which systemd does not run, or root may not raise its limits. */
export function podmanConfiguration(): string {
  const limits = readFileSync('/proc/self/limits', 'utf8')
  const hard = (name: string, most: number) => {
    const limit = Number(new RegExp(`^${name} +\\S+ +(\\d+)`, 'm').exec(limits)?.[1] ?? most)
    return `${Math.min(limit, most)}:${Math.min(limit, most)}`
  }
  const files = hard('Max open files', 1_048_576)
  const processes = hard('Max processes', Number(readFileSync('/proc/sys/kernel/pid_max', 'utf8')))
  return `[containers]
default_ulimits = ["nofile=${files}", "nproc=${processes}"]
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
`
}
