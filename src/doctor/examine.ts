// Owns one look at this machine: the checks with what they need, each part of it asked for once.
import type { MoatPaths } from '../config/paths.js'
import type { WantedAddress } from '../config/settings.js'
import type { Engine } from '../engine/engine.js'
import { readStatus } from '../supervisor/control-client.js'
import { checks } from './checks.js'
import { type CheckedProject, diagnose, type Finding } from './diagnosis.js'

export interface ExamineOptions {
  connectEngine: () => Promise<Engine>
  env?: NodeJS.ProcessEnv
  paths: MoatPaths
  platform?: NodeJS.Platform
  project?: CheckedProject
  wanted: () => Promise<WantedAddress>
}

/** What all checks find. Never rejects. */
export async function examine(options: ExamineOptions): Promise<Finding[]> {
  const { connectEngine, env = process.env, paths, platform = process.platform, project, wanted } = options
  return diagnose(checks, {
    connectEngine: once(connectEngine),
    env,
    paths,
    platform,
    ...(project && { project }),
    proxy: once(() => readStatus(paths.controlSocket)),
    wanted: once(wanted),
  })
}

function once<T>(action: () => Promise<T>): () => Promise<T> {
  let result: Promise<T> | undefined
  return () => {
    result ??= action()
    return result
  }
}
