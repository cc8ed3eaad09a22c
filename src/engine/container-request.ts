// Owns what the engine is asked to create for a ContainerSpec. Pure.
import type { ContainerCreateOptions } from 'dockerode'
import type { ContainerSpec } from './engine.js'
import type { EngineTraits } from './engine-traits.js'

/** The home of an agent that is not root: of the image, if moat built it, else in memory. */
export const agentHome = '/home/agent'

/** A fork bomb ends here; builds with many workers do not. */
const mostProcesses = 4_096

/**
 * What root in a container needs to install packages and to change users. Everything else an engine grants is dropped. Another
 * user has no use for them: under Docker they take no effect, and Podman would give them to every program of that user.
 */
const capabilities = ['CHOWN', 'DAC_OVERRIDE', 'FOWNER', 'FSETID', 'KILL', 'NET_BIND_SERVICE', 'SETGID', 'SETUID']

/** On a rootless engine the container's root is the invoking user. */
export function containerRequest(spec: ContainerSpec, { podman, rootless }: EngineTraits): ContainerCreateOptions {
  const user = rootless && spec.user !== 'image' ? { gid: 0, uid: 0 } : spec.user
  const home = homeOf(spec, user, podman)
  return {
    Env: Object.entries({ ...home.env, ...spec.env }).map(([name, value]) => `${name}=${value}`),
    ExposedPorts: Object.fromEntries(spec.ports.map(({ port }) => [`${port}/tcp`, {}])),
    HostConfig: {
      AutoRemove: spec.removeAtEnd ?? false,
      CapAdd: spec.capabilities === 'none' || (podman && user !== 'image' && user.uid !== 0) ? [] : capabilities,
      CapDrop: ['ALL'],
      // Reaps zombies and forwards signals.
      Init: true,
      // Not Binds: those create a missing source, as root's directory.
      Mounts: [
        ...spec.mounts.map(({ readOnly, source, target }) => ({
          ReadOnly: readOnly,
          Source: source,
          Target: target,
          Type: 'bind' as const,
        })),
        ...(spec.volumes ?? []).map(volumeMount),
      ],
      PortBindings: Object.fromEntries(
        spec.ports.map(({ hostPort, port }) => [
          `${port}/tcp`,
          [{ HostIp: '127.0.0.1', HostPort: `${hostPort ?? ''}` }],
        ]),
      ),
      ...(spec.network !== undefined && { NetworkMode: spec.network }),
      PidsLimit: mostProcesses,
      // No program in the container gains rights by being started (setuid, file capabilities).
      SecurityOpt: ['no-new-privileges'],
      Tmpfs: home.tmpfs,
      ...(spec.cpus !== undefined && { NanoCpus: Math.round(spec.cpus * 1e9) }),
      ...(spec.dns && { Dns: spec.dns }),
      ...(spec.hosts && { ExtraHosts: spec.hosts.map(({ address, name }) => `${name}:${address}`) }),
      ...(spec.memory !== undefined && { Memory: spec.memory * 1024 * 1024 }),
      ...(spec.runtime !== undefined && { Runtime: spec.runtime }),
      ...(spec.unprivilegedPortStart !== undefined && {
        Sysctls: { 'net.ipv4.ip_unprivileged_port_start': `${spec.unprivilegedPortStart}` },
      }),
    },
    Image: spec.image,
    Labels: spec.labels,
    ...(spec.interactive && { AttachStdin: true, OpenStdin: true, StdinOnce: true, Tty: true }),
    ...(spec.openStdin && !spec.interactive && { OpenStdin: true }),
    ...(user !== 'image' && { User: `${user.uid}:${user.gid}` }),
    ...(spec.workdir !== undefined && { WorkingDir: spec.workdir }),
    name: spec.name,
    ...(spec.command && { Cmd: spec.command }),
    ...(spec.entrypoint && { Entrypoint: spec.entrypoint }),
  }
}

/** Root has a home in every image; another user gets a writable one in memory, where tools may also run programs. */
function homeOf(
  { env, mounts, tmpfs = [], volumes = [] }: ContainerSpec,
  user: ContainerSpec['user'],
  podman: boolean,
) {
  if (user === 'image') return { env: {}, tmpfs: {} }
  const options = memoryOptions(user, podman)
  const asked = Object.fromEntries(tmpfs.map((target) => [target, options]))
  if (user.uid === 0 || env.HOME !== undefined) return { env: {}, tmpfs: asked }
  const targets = [...mounts, ...volumes].map(({ target }) => target)
  const own = targets.includes(agentHome) ? [] : [agentHome, ...between(agentHome, [...targets, ...tmpfs])]
  return { env: { HOME: agentHome }, tmpfs: { ...Object.fromEntries(own.map((path) => [path, options])), ...asked } }
}

function memoryOptions({ gid, uid }: { gid: number; uid: number }, podman: boolean): string {
  // Podman's tmpfs has no owner but root; nobody else is in the container, so it may be for all.
  const owner = podman ? 'mode=1777' : `uid=${uid},gid=${gid},mode=0755`
  return `rw,exec,nosuid,nodev,${owner}`
}

/** Directories from `outer` to targets in it, which the engine would make in memory as root's. */
function between(outer: string, targets: readonly string[]): string[] {
  const paths = targets.flatMap((target) => {
    const parts = target.startsWith(`${outer}/`) ? target.slice(outer.length + 1).split('/') : []
    return parts.slice(0, -1).map((_, index) => `${outer}/${parts.slice(0, index + 1).join('/')}`)
  })
  return [...new Set(paths)].filter((path) => !targets.includes(path))
}

/** With the labels that it has: an engine makes a volume that somebody has removed meanwhile anew, and it is to be moat's again. */
function volumeMount({ id, labels, readOnly, target }: NonNullable<ContainerSpec['volumes']>[number]) {
  return {
    ReadOnly: readOnly,
    Source: id,
    Target: target,
    Type: 'volume' as const,
    VolumeOptions: { DriverConfig: { Name: 'local', Options: {} }, Labels: labels, NoCopy: false },
  }
}
