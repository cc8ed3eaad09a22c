// Owns a quick look at the agents and their volumes, for shell completion: the engine's own list, without dockerode, which takes longer to
// load than a shell may wait.
import http from 'node:http'
import { text } from 'node:stream/consumers'
import type { ContainerInfo } from 'dockerode'
import { sealKeyFile } from '../config/paths.js'
import type { Agent } from '../routing/agent.js'
import { findEngine } from './connect-engine.js'
import type { DialOptions } from './engine-address.js'
import { labels } from './labels.js'
import { readSealKey } from './seal-key.js'
import { type ListedVolume, volumeLabels, volumeOwner } from './volume-seal.js'
import type { VolumeOwner } from './volumes.js'

/** The agents of `moatHome`, oldest first. Containers that cannot be read are left out. Rejects without an engine. */
export async function peekAgents(options: {
  env: NodeJS.ProcessEnv
  moatHome: string
  timeout: number
}): Promise<Agent[]> {
  const { dial } = await findEngine(options)
  const filters = JSON.stringify({ label: [labels.runId] })
  const path = `/containers/json?all=1&filters=${encodeURIComponent(filters)}`
  const containers = (await getJson(dial, path)) as ContainerInfo[]
  if (containers.length === 0) return []
  const { sortContainers } = await import('./sort-containers.js')
  const owner = { home: options.moatHome, key: await readSealKey(sealKeyFile(options.moatHome)) }
  return sortContainers(containers, owner).agents
}

/** The volumes of `moatHome`. Rejects without an engine. */
export async function peekVolumes(options: {
  env: NodeJS.ProcessEnv
  moatHome: string
  timeout: number
}): Promise<(VolumeOwner & { id: string })[]> {
  const { dial } = await findEngine(options)
  const filters = JSON.stringify({ label: [volumeLabels.volume] })
  const { Volumes } = (await getJson(dial, `/volumes?filters=${encodeURIComponent(filters)}`)) as {
    Volumes?: ListedVolume[] | null
  }
  const key = await readSealKey(sealKeyFile(options.moatHome))
  return (Volumes ?? []).flatMap((volume) => {
    const owner = volumeOwner(volume, options.moatHome, key)
    return owner ? [{ ...owner, id: volume.Name }] : []
  })
}

function getJson(dial: DialOptions, path: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const asked = http.request({ ...dial, agent: false, path }, (response) => {
      if (response.statusCode !== 200) reject(new Error(`answered with HTTP status ${response.statusCode}`))
      text(response)
        .then((body) => resolve(JSON.parse(body)))
        .catch(reject)
    })
    asked.on('error', reject)
    asked.end()
  })
}
