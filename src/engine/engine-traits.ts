// Owns what sets one engine behind the Docker API apart from another, as far as moat has to know.
import type Docker from 'dockerode'

export interface EngineTraits {
  podman: boolean
  /** Users in containers are others than they seem, so that nobody there can write what is the invoking user's. */
  remapped: boolean
  /** It runs as the invoking user, and root in a container is that user. */
  rootless: boolean
  /** Names of the programs that it can run containers by. */
  runtimes: string[]
  /** It runs in a virtual machine beside which moat runs. */
  virtual: boolean
}

interface Info {
  /** Podman's builder; Docker has none of that name. */
  BuildahVersion?: string
  OperatingSystem?: string
  /** Podman's; as of version 4 it does not say so among the security options, as Docker does. */
  Rootless?: boolean
  Runtimes?: Record<string, unknown> | null
  SecurityOptions?: string[] | null
}

export async function readTraits(docker: Docker, platform = process.platform): Promise<EngineTraits> {
  const { BuildahVersion, OperatingSystem, Rootless, Runtimes, SecurityOptions } = (await docker.info()) as Info
  const has = (name: string) => SecurityOptions?.some((option) => option.split(',').includes(`name=${name}`)) ?? false
  return {
    podman: BuildahVersion !== undefined,
    remapped: has('userns'),
    rootless: Rootless ?? has('rootless'),
    runtimes: Object.keys(Runtimes ?? {}).toSorted(),
    // Docker Desktop has one on Linux and WSL too.
    virtual: platform !== 'linux' || OperatingSystem === 'Docker Desktop',
  }
}
