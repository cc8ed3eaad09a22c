// Owns what sets one engine behind the Docker API apart from another, as far as moat has to know.
import type Docker from 'dockerode'

export interface EngineTraits {
  podman: boolean
  /** It runs as the invoking user, and root in a container is that user. */
  rootless: boolean
}

interface Info {
  /** Podman's builder; Docker has none of that name. */
  BuildahVersion?: string
  SecurityOptions?: string[] | null
}

export async function readTraits(docker: Docker): Promise<EngineTraits> {
  const { BuildahVersion, SecurityOptions } = (await docker.info()) as Info
  return {
    podman: BuildahVersion !== undefined,
    rootless: SecurityOptions?.some((option) => option.split(',').includes('name=rootless')) ?? false,
  }
}
