// Owns the names of engines a person may insist on (MOAT_RUNTIME, --runtime), and what is known of each.
import { exitCodes, MoatError } from '../errors.js'
import { nearestName } from '../routing/nearest-name.js'

export type RuntimeName = 'colima' | 'docker' | 'docker-desktop' | 'orbstack' | 'podman' | 'rancher'

interface Runtime {
  /** Docker CLI contexts that are its own. */
  contexts: RegExp
  /** What starts it, by platform; a platform left out has none. */
  start: Partial<Record<NodeJS.Platform, string>>
  title: string
}

export const runtimes: Readonly<Record<RuntimeName, Runtime>> = {
  colima: {
    contexts: /^colima(-|$)/,
    start: { darwin: 'colima start', linux: 'colima start' },
    title: 'Colima',
  },
  docker: {
    contexts: /^(desktop-linux|rootless)$/,
    start: { darwin: 'open -a Docker', linux: 'sudo systemctl start docker', win32: 'start docker' },
    title: 'Docker',
  },
  'docker-desktop': {
    contexts: /^desktop-linux$/,
    start: { darwin: 'open -a Docker', linux: 'systemctl --user start docker-desktop' },
    title: 'Docker Desktop',
  },
  orbstack: { contexts: /^orbstack$/, start: { darwin: 'open -a OrbStack' }, title: 'OrbStack' },
  podman: {
    contexts: /^podman/,
    start: { darwin: 'podman machine start', linux: 'systemctl --user start podman.socket' },
    title: 'Podman',
  },
  rancher: {
    contexts: /^rancher-desktop$/,
    start: { darwin: "open -a 'Rancher Desktop'", linux: 'rancher-desktop' },
    title: 'Rancher Desktop',
  },
}

export const runtimeNames = Object.keys(runtimes) as RuntimeName[]

/** The runtime that `origin` (`--runtime`, `MOAT_RUNTIME`) names. Throws USAGE for one there is not. */
export function parseRuntime(name: string, origin: string): RuntimeName {
  const known = runtimeNames.find((candidate) => candidate === name.toLowerCase())
  if (known) return known
  const nearest = nearestName(name, runtimeNames)
  const hint = nearest ? `; did you mean ${nearest}?` : '.'
  const message = `${origin} names an unknown container engine, ${JSON.stringify(name)}${hint} Known: ${runtimeNames.join(', ')}.`
  const near = nearest ?? 'docker'
  const suggestions =
    origin === 'MOAT_RUNTIME'
      ? [`export MOAT_RUNTIME=${near}`, 'unset MOAT_RUNTIME']
      : [`moat doctor --runtime ${near}`]
  throw new MoatError('USAGE', message, { exit: exitCodes.usage, suggestions })
}

/** The runtime in the environment; undefined when none is insisted on. */
export function runtimeOf(env: NodeJS.ProcessEnv): RuntimeName | undefined {
  return env.MOAT_RUNTIME ? parseRuntime(env.MOAT_RUNTIME, 'MOAT_RUNTIME') : undefined
}
