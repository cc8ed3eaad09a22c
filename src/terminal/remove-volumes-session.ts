// Owns removing volumes as a person sees it: what would go, a question, and what has gone.
import type { Engine } from '../engine/engine.js'
import { exitCodes, MoatError } from '../errors.js'
import { removeVolumes, type VolumeView } from '../volumes/find-volumes.js'
import { confirm } from './confirm.js'
import { describeVolume } from './format-volumes.js'

export interface RemoveSession {
  /** The command with which nothing is asked. */
  command: string
  force: boolean
  json: boolean
  log: (line: string) => void
}

/** Those that were removed. */
export async function removeVolumesSession(
  engine: Pick<Engine, 'volumes'>,
  volumes: readonly VolumeView[],
  { command, force, json, log }: RemoveSession,
): Promise<VolumeView[]> {
  for (const volume of volumes) log(describeVolume(volume))
  if (!force) {
    const agreed = json ? undefined : await confirm('Remove what is listed, with all that is in it?')
    if (agreed === undefined) {
      throw new MoatError('USAGE', 'Without a terminal, moat does not ask and removes no volume.', {
        exit: exitCodes.usage,
        suggestions: [command],
      })
    }
    if (!agreed) return []
  }
  const removed = await removeVolumes(engine, volumes)
  for (const { name, usedBy } of volumes.filter((volume) => !removed.includes(volume))) {
    log(`${name} was kept: ${usedBy[0] ?? 'a container'} has it by now.`)
  }
  log(`Removed ${removed.length === 1 ? '1 volume' : `${removed.length} volumes`}.`)
  return removed
}
