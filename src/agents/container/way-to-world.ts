// Owns how an agent under a network policy reaches what it may: a port of its container's loopback leads to the gate, and the tools
// in there are told so, each in the way it understands. Programs that do not listen reach nothing under a strict policy.
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises'
import { basename, dirname, join, posix } from 'node:path'
import { agentGateSocket, hostPortSocket, type MoatPaths } from '../../config/paths.js'
import type { NetworkPolicy } from '../../egress/policy.js'
import type { ContainerSpec } from '../../engine/engine.js'
import type { ImageFacts } from '../../engine/files.js'
import { grantFiles } from '../../grants/container-parts.js'
import { gatePort } from '../../routing/gate-port.js'

const loopback = '127.0.0.1'
/** What a container with a grant for ssh has. */
const knownHosts = `${grantFiles}/ssh/known_hosts`

export interface WayToWorld {
  env: Record<string, string>
  /** What the forwarder is told. */
  flags: string[]
  mounts: ContainerSpec['mounts']
  /** Ports of the container's loopback that it takes. */
  ports: number[]
}

export interface WayToWorldOptions {
  domain: string
  image: Pick<ImageFacts, 'environment'>
  /** Where the run's directory is in the container. */
  mountPoint: string
  paths: Pick<MoatPaths, 'agents' | 'publicCertificate'>
  runId: string
  /** Ports that are the container's own or the proxy's. */
  taken: readonly number[]
  /** What the user sets, which wins. */
  userEnv: Readonly<Record<string, string>>
}

/** Makes the files that are mounted. */
export async function planWayToWorld({ host }: NetworkPolicy, options: WayToWorldOptions): Promise<WayToWorld> {
  const { mountPoint, paths, runId, taken } = options
  const port = gatePort([...taken, ...host])
  const inside = (socket: string) => posix.join(mountPoint, basename(socket))
  const gate = inside(agentGateSocket(paths, runId))
  const leads: [port: number, socket: string][] = [
    [port, gate],
    ...host.map((one): [number, string] => [one, inside(hostPortSocket(paths, runId, one))]),
  ]
  return {
    env: toolEnvironment(port, options),
    flags: leads.flatMap(([from, to]) => ['--lead', `${from}=${to}`]),
    mounts: await toolFiles(port, gate, options),
    ports: leads.map(([from]) => from),
  }
}

/** Without what the user sets, in whichever case: of two that differ nobody knows which one a program takes. */
function toolEnvironment(port: number, { domain, image, userEnv }: WayToWorldOptions): Record<string, string> {
  const proxy = `http://${loopback}:${port}`
  // Its own URLs, and those of others, lead to the loopback by name as well.
  const local = [...new Set(['localhost', domain])]
  const direct = [...local.flatMap((name) => [name, `.${name}`]), '127.0.0.0/8', loopback, '::1', '[::1]'].join()
  const pairs = { ALL_PROXY: proxy, HTTP_PROXY: proxy, HTTPS_PROXY: proxy, NO_PROXY: direct }
  const given = (name: string) => name in userEnv || name.toLowerCase() in userEnv
  const both = Object.entries(pairs)
    .filter(([name]) => !given(name))
    .flatMap(([name, value]) => [
      [name, value],
      [name.toLowerCase(), value],
    ])
  const java = [image.environment.JAVA_TOOL_OPTIONS, ...javaOptions(port, local)].filter(Boolean).join(' ')
  return { ...Object.fromEntries(both), JAVA_TOOL_OPTIONS: java, NODE_USE_ENV_PROXY: '1' }
}

/** Java looks at no such variables; Gradle and Maven are Java. Maven's own transport only does so when it is told. */
function javaOptions(port: number, local: readonly string[]): string[] {
  const direct = [...local.flatMap((name) => [name, `*.${name}`]), '127.*', '[::1]'].join('|')
  return [
    ...['http', 'https'].flatMap((kind) => [`-D${kind}.proxyHost=${loopback}`, `-D${kind}.proxyPort=${port}`]),
    `-Dhttp.nonProxyHosts=${direct}`,
    '-Daether.connector.http.useSystemProperties=true',
  ]
}

/** For tools that read files: apt also where its environment has been cleared, ssh because it has no such variable. */
async function toolFiles(port: number, gate: string, { mountPoint, paths }: WayToWorldOptions) {
  // One for all agents, and never removed: a container that is started again has it mounted.
  const directory = join(dirname(paths.publicCertificate), `gate-${port}`)
  const proxy = `http://${loopback}:${port}`
  const files = [
    {
      name: 'apt.conf',
      target: '/etc/apt/apt.conf.d/90moat',
      text: `Acquire::http::Proxy "${proxy}";\nAcquire::https::Proxy "${proxy}";\n`,
    },
    {
      name: 'ssh.conf',
      target: '/etc/ssh/ssh_config.d/moat.conf',
      // Hosts of grants are known in there, whoever the user is.
      text: `Match host !localhost,!*.localhost,!127.*,!::1,*
  ProxyCommand ${mountPoint}/forward connect ${gate} %h %p
  GlobalKnownHostsFile /etc/ssh/ssh_known_hosts /etc/ssh/ssh_known_hosts2 ${knownHosts}
`,
    },
  ]
  await mkdir(directory, { recursive: true })
  // Users of containers are others than the one who runs moat; the directory above keeps other users of this machine out.
  await chmod(directory, 0o755)
  return Promise.all(
    files.map(async ({ name, target, text }) => {
      const source = join(directory, name)
      // In place: containers have this very file mounted.
      if ((await readFile(source, 'utf8').catch(() => '')) !== text) await writeFile(source, text)
      await chmod(source, 0o644)
      return { readOnly: true, source, target }
    }),
  )
}
