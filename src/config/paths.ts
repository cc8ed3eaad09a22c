// Owns where moat keeps its files: everything under ~/.moat.
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { exitCodes, MoatError } from '../errors.js'
import { moatHome } from './moat-home.js'

export interface MoatPaths {
  /** Holds a directory for each agent that has a way to the proxy from inside its container. */
  agents: string
  /** Where Caddy reports requests while somebody watches. */
  accessSocket: string
  adminSocket: string
  /** What the user has allowed the moat.yaml of each workspace. */
  approvals: string
  bin: string
  /** What images trust, by what they are. */
  bundles: string
  caCertificate: string
  caKey: string
  /** What the Caddy that was asked last can do. */
  caddyAbilities: string
  caddyLog: string
  caddyPid: string
  caddyStorage: string
  configFile: string
  controlSocket: string
  /** Where the doorkeeper is told of agents; see forwarder/README.md. */
  doorsSocket: string
  /** What the doorkeeper complains of. */
  doorsLog: string
  /** Sockets at which Caddy opens what agents send elsewhere, and what else belongs to the way out. Only this user enters it. */
  egress: string
  /** The authority that signs for what is opened. Trusted in containers, never on this machine. */
  egressCertificate: string
  egressKey: string
  /** Certificates of opened hosts. */
  egressStorage: string
  /** Where Caddy asks what no rule of its config can say: about a path that is not plain, and for what a grant puts in. */
  egressQuestions: string
  /** Where Caddy reports what it has opened. */
  egressReports: string
  /** Where Caddy has addresses found and connected to: a port and a password, in a file. */
  egressDial: string
  /** What the gate complains of. */
  gateLog: string
  /** Where the gate is told of agents and their policies. */
  gateSocket: string
  /** Where Caddy asks which file of a workspace may be served. */
  filesSocket: string
  /** What agents may use without seeing it, encrypted. */
  grants: string
  /** `~/.moat` itself. */
  home: string
  /** Where Caddy takes what comes from inside containers, by what it speaks. */
  inside: { plain: string; tls: string }
  /** Where a person may make a store for Java. */
  javaStore: string
  /** A root that is ready to take the place of the one in use. */
  nextAuthority: string
  nextEgressAuthority: string
  /** Certificates of roots that were replaced, without their keys, so that they can be taken out of trust stores. */
  oldRoots: string
  /** Where Caddy gets the proxy's own pages. */
  pagesSocket: string
  /** Where Caddy takes what is plain HTTP on the proxy's port, if it can tell. */
  plainSocket: string
  /** Where the user describes services that moat does not know. */
  providers: string
  proxy: string
  /** Seals the containers that moat makes, so that nobody else's are taken for agents. */
  sealKey: string
  /** What workspaces looked like when their runs began. */
  reviews: string
  /** What workspaces were like at times. */
  snapshots: string
  /** A copy of the root certificate in a directory that containers may see. */
  publicCertificate: string
  /** The same for agents of whom something is opened: both roots. */
  publicEgressCertificate: string
  /** Which port is served, for when everything is killed. */
  servedPort: string
  /** Held by the supervisor while it lives. */
  supervisorLock: string
  supervisorLog: string
  /** How trust databases were before moat changed them. */
  trustMemory: string
  /** A directory for the package managers of each repository's agents, who write there. */
  packages: string
  /** Held by the client that starts a supervisor, while it does. */
  spawnLock: string
  /** Where worktrees are made; `MOAT_WORKTREE_BASE` moves it. */
  worktrees: string
}

/** All paths for this environment. */
export function moatPaths(env: NodeJS.ProcessEnv = process.env, userHome: string = homedir()): MoatPaths {
  const home = moatHome(env, userHome)
  const proxy = join(home, 'proxy')
  const controlSocket = join(proxy, 'control.sock')
  const agents = join(proxy, 'agents')
  const egress = join(proxy, 'egress')
  assertSocketPath(agentSocket({ agents }, `run_${'0'.repeat(12)}`))
  return {
    agents,
    accessSocket: join(proxy, 'access.sock'),
    adminSocket: join(proxy, 'admin.sock'),
    approvals: join(home, 'approvals'),
    bin: join(home, 'bin'),
    bundles: join(proxy, 'bundles'),
    caCertificate: join(proxy, 'ca', 'ca.crt'),
    caKey: join(proxy, 'ca', 'ca.key'),
    caddyAbilities: join(proxy, 'caddy-abilities'),
    caddyLog: join(proxy, 'caddy.log'),
    caddyPid: join(proxy, 'caddy.pid'),
    caddyStorage: join(proxy, 'caddy'),
    configFile: join(home, 'config.yaml'),
    controlSocket,
    doorsLog: join(proxy, 'doors.log'),
    doorsSocket: join(proxy, 'doors.sock'),
    egress,
    egressCertificate: join(proxy, 'egress-ca', 'ca.crt'),
    egressDial: join(egress, 'dial.json'),
    egressKey: join(proxy, 'egress-ca', 'ca.key'),
    egressQuestions: join(egress, 'questions.sock'),
    egressReports: join(egress, 'reports.sock'),
    egressStorage: join(proxy, 'egress-leaves'),
    gateLog: join(proxy, 'gate.log'),
    gateSocket: join(proxy, 'gate.sock'),
    filesSocket: join(proxy, 'files.sock'),
    grants: join(home, 'grants'),
    home,
    inside: { plain: join(proxy, 'inside-http.sock'), tls: join(proxy, 'inside.sock') },
    javaStore: join(home, 'java-cacerts'),
    nextAuthority: join(proxy, 'ca-next'),
    nextEgressAuthority: join(proxy, 'egress-ca-next'),
    oldRoots: join(proxy, 'old-roots'),
    pagesSocket: join(proxy, 'pages.sock'),
    packages: join(home, 'packages'),
    plainSocket: join(proxy, 'plain.sock'),
    providers: join(home, 'providers'),
    proxy,
    reviews: join(home, 'reviews'),
    publicCertificate: join(proxy, 'public', 'ca.crt'),
    publicEgressCertificate: join(proxy, 'public-egress', 'ca.crt'),
    sealKey: sealKeyFile(home),
    servedPort: join(proxy, 'port'),
    snapshots: join(home, 'snapshots'),
    spawnLock: join(proxy, 'spawn.lock'),
    supervisorLock: join(proxy, 'supervisor.lock'),
    supervisorLog: join(proxy, 'supervisor.log'),
    worktrees: env.MOAT_WORKTREE_BASE ? resolve(env.MOAT_WORKTREE_BASE) : join(home, 'worktrees'),
    trustMemory: join(proxy, 'trust'),
  }
}

/** The key of the moat whose `~/.moat` is `home`. */
export function sealKeyFile(home: string): string {
  return join(home, 'proxy', 'seal.key')
}

/** What the container of a run sees of this machine, besides its workspace. */
export function agentDirectory({ agents }: Pick<MoatPaths, 'agents'>, runId: string): string {
  return join(agents, runId)
}

/** Where the container of a run listens for what is meant for its servers. It alone writes there. */
export function wayInDirectory(paths: Pick<MoatPaths, 'agents'>, runId: string): string {
  return join(agentDirectory(paths, runId), 'in')
}

/** Where the proxy listens for what comes from the container of a run. */
export function agentSocket(paths: Pick<MoatPaths, 'agents'>, runId: string): string {
  return join(agentDirectory(paths, runId), 'proxy.sock')
}

/** Where the gate listens for what the container of a run sends out. */
export function agentGateSocket(paths: Pick<MoatPaths, 'agents'>, runId: string): string {
  return join(agentDirectory(paths, runId), 'gate.sock')
}

/** Where moat stands in for an ssh agent, for the container of a run. */
export function agentSshSocket(paths: Pick<MoatPaths, 'agents'>, runId: string): string {
  return join(agentDirectory(paths, runId), 'ssh.sock')
}

/** Where Caddy opens what an agent sends elsewhere. Which socket it comes by says which agent it is. */
export function interceptSocket({ proxy }: Pick<MoatPaths, 'proxy'>, runId: string): string {
  return join(proxy, 'egress', `${runId}.sock`)
}

/** Where the gate listens for what the container of a run sends to a port of the user's machine. */
export function hostPortSocket(paths: Pick<MoatPaths, 'agents'>, runId: string, port: number): string {
  return join(agentDirectory(paths, runId), `${port}.host`)
}

/** Where the container of a service of a run listens for its agent. It alone writes there; the agent sees it. */
export function serviceDirectory(paths: Pick<MoatPaths, 'agents'>, runId: string, service: string): string {
  return join(agentDirectory(paths, runId), 'services', service)
}

/** The longest path of a unix socket that macOS accepts; Linux allows four more. Bytes. */
const longestSocketPath = 103

/** `path` is the longest of the sockets. */
function assertSocketPath(path: string): void {
  const length = Buffer.byteLength(path)
  if (length <= longestSocketPath) return
  throw new MoatError(
    'PATH_TOO_LONG',
    `MOAT_HOME is too long: a socket may have ${longestSocketPath} bytes, and ${path} has ${length}.`,
    { exit: exitCodes.usage, suggestions: ['export MOAT_HOME=~/.m'] },
  )
}

/** `path` with the user's home abbreviated to `~`, as it is printed. */
export function displayPath(path: string, userHome: string = homedir()): string {
  return path === userHome || path.startsWith(`${userHome}/`) ? `~${path.slice(userHome.length)}` : path
}
