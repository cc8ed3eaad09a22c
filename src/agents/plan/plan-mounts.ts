// Owns what of this machine and of the engine's volumes an agent is given: by moat.yaml and by flags, one target each.
import type { MoatYaml } from '../../config/moat-yaml.js'
import { isWorkspaceItself, type Mount, readMount } from '../../config/mount.js'
import { exitCodes, MoatError } from '../../errors.js'
import { type PlannedVolume, planVolumes } from '../../volumes/plan-volumes.js'

export interface GivenMounts {
  mounts: Mount[]
  /** Directories in memory in the place of what moat.yaml excludes. */
  tmpfs: string[]
  /** Directories that the engine keeps from run to run. */
  volumes: PlannedVolume[]
}

export interface PlannedMounts {
  given: GivenMounts
  /** Those of flags. */
  ownMounts: Mount[]
}

/** `flags` are `--mount`, each as it was typed; `place` is whose volumes are; `clone` is the name of an agent that works in one. */
export async function planMounts(
  config: MoatYaml,
  flags: readonly string[],
  place: { clone?: string | undefined; commonDir?: string | undefined; workspace: string },
): Promise<PlannedMounts> {
  const ownMounts = await Promise.all(flags.map(parseMountFlag))
  assertApart(ownMounts, config)
  return {
    given: {
      mounts: [...config.mounts.filter((mount) => !isWorkspaceItself(mount)), ...ownMounts],
      tmpfs: config.mounts.flatMap(({ exclude = [] }) => exclude),
      volumes: planVolumes(config.volumes, place),
    },
    ownMounts,
  }
}

async function parseMountFlag(text: string): Promise<Mount> {
  const mount = await readMount(text, process.cwd())
  if (typeof mount !== 'string') return mount
  throw new MoatError('USAGE', `--mount ${text}: ${mount}.`, {
    exit: exitCodes.usage,
    suggestions: ['moat run --mount ./data:/data:ro'],
  })
}

/** A flag's mount where moat.yaml has something else: the engine would refuse it in words of its own. */
function assertApart(ownMounts: readonly Mount[], { mounts, volumes }: MoatYaml): void {
  const taken = [...volumes.map(({ target }) => target), ...mounts.flatMap(({ exclude = [] }) => exclude)]
  const clash = ownMounts.find(({ target }) => taken.includes(target))
  if (!clash) return
  throw new MoatError(
    'USAGE',
    `--mount has the target ${clash.target}, where moat.yaml has a volume or excludes what is there.`,
    {
      exit: exitCodes.usage,
      suggestions: [`moat run --mount ${clash.source}:/elsewhere`],
    },
  )
}
