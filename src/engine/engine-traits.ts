// Owns what sets one engine behind the Docker API apart from another, as far as moat has to know.
import type Docker from 'dockerode'

export interface EngineTraits {
  /** What it runs containers by, unless it is told otherwise. */
  defaultRuntime?: string
  podman: boolean
  /** Users in containers are others than they seem, so that nobody there can write what is the invoking user's. */
  remapped: boolean
  /** It runs as the invoking user, and root in a container is that user. */
  rootless: boolean
  /** Names of the programs that it can run containers by. */
  runtimes: string[]
  /** Those of them whose containers have a kernel of their own, and with it sockets that nobody outside can reach. */
  sealedOff: string[]
  /** It runs in a virtual machine beside which moat runs. */
  virtual: boolean
}

interface Info {
  /** Podman's builder; Docker has none of that name. */
  BuildahVersion?: string
  DefaultRuntime?: string
  OperatingSystem?: string
  /** Podman's; as of version 4 it does not say so among the security options, as Docker does. */
  Rootless?: boolean
  Runtimes?: Record<string, Runtime | null> | null
  SecurityOptions?: string[] | null
}

interface Runtime {
  path?: string
  runtimeArgs?: string[] | null
  runtimeType?: string
}

/** gVisor, which answers for the kernel, and virtual machines. */
const sandboxes = /runsc|gvisor|kata|firecracker|krun/
/** With it, gVisor makes sockets on this machine, and opens them. */
const sharesAll = '--host-uds=all'

function isSealedOff([name, runtime]: [string, Runtime | null]): boolean {
  const { path = '', runtimeArgs, runtimeType = '' } = runtime ?? {}
  return [name, path, runtimeType].some((word) => sandboxes.test(word)) && !runtimeArgs?.includes(sharesAll)
}

export async function readTraits(docker: Docker, platform = process.platform): Promise<EngineTraits> {
  const info = (await docker.info()) as Info
  const { BuildahVersion, DefaultRuntime, OperatingSystem, Rootless, Runtimes, SecurityOptions } = info
  const has = (name: string) => SecurityOptions?.some((option) => option.split(',').includes(`name=${name}`)) ?? false
  return {
    ...(DefaultRuntime !== undefined && { defaultRuntime: DefaultRuntime }),
    podman: BuildahVersion !== undefined,
    remapped: has('userns'),
    rootless: Rootless ?? has('rootless'),
    runtimes: Object.keys(Runtimes ?? {}).toSorted(),
    sealedOff: Object.entries(Runtimes ?? {})
      .filter(isSealedOff)
      .map(([name]) => name),
    // Docker Desktop has one on Linux and WSL too.
    virtual: platform !== 'linux' || OperatingSystem === 'Docker Desktop',
  }
}
