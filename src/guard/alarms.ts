// Owns the last word of a repository's guard, kept where no container can write, so that every command can tell it.

import { unwatchFile, watchFile } from 'node:fs'
import { mkdir, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { replaceFile } from '../config/replace-file.js'
import type { AgentView } from '../routing/agent-view.js'
import { viewDirectory } from '../worktrees/container-view.js'
import type { GitPlace } from '../worktrees/git-place.js'
import { mainCheckoutAt } from '../worktrees/main-checkout.js'

/** Between two looks of who follows. Milliseconds. */
const interval = 500

interface Alarm {
  /** ISO 8601. */
  at: string
  text: string
}

export async function raiseAlarm(place: GitPlace, home: string, text: string): Promise<void> {
  const file = fileOf(place, home)
  await mkdir(dirname(file), { mode: 0o700, recursive: true })
  const alarm: Alarm = { at: new Date().toISOString(), text }
  await replaceFile(file, JSON.stringify(alarm), 0o600)
}

/** The agents, with what was said of the checkouts of those that are paused, since they started. */
export function withAlarms<T extends AgentView>(agents: readonly T[], home: string): Promise<T[]> {
  return Promise.all(
    agents.map(async (agent) => {
      if (agent.state !== 'paused') return agent
      const place = await mainCheckoutAt(agent.workspace).catch(() => undefined)
      const alarm = place && (await readAlarm(fileOf(place, home)))
      return alarm && Date.parse(alarm.at) >= Date.parse(agent.createdAt) ? { ...agent, alarm: alarm.text } : agent
    }),
  )
}

/** Tells what is said from now on; the returned function ends that. */
export function followAlarms(place: GitPlace, home: string, tell: (text: string) => void): () => void {
  const file = fileOf(place, home)
  const before = readAlarm(file)
  const listener = async () => {
    const [alarm, old] = await Promise.all([readAlarm(file), before])
    if (alarm && alarm.at !== old?.at) tell(alarm.text)
  }
  watchFile(file, { interval, persistent: false }, listener)
  return () => unwatchFile(file, listener)
}

function fileOf({ gitDir }: GitPlace, home: string): string {
  return join(viewDirectory(home, gitDir), 'alarm')
}

async function readAlarm(file: string): Promise<Alarm | undefined> {
  try {
    return JSON.parse(await readFile(file, 'utf8'))
  } catch {
    return undefined
  }
}
