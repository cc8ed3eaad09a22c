// Owns what a person is told when the guard of a repository has put something back, and paused who was at work there.
import { shellQuote } from '../config/shell-quote.js'
import { containerName } from '../engine/labels.js'
import { alarmSince } from '../guard/alarms.js'
import type { AgentView } from '../routing/agent-view.js'
import { visible } from './visible.js'

export function describeAlarm(text: string, name: string, home: string): string[] {
  const container = shellQuote(containerName(name, home))
  return [
    visible(text),
    `${name} is paused. To let it go on: docker unpause ${container}. To end it: moat stop ${shellQuote(name)}`,
  ]
}

/** Of those among them that are paused. */
export async function describeAlarms(agents: readonly AgentView[], home: string): Promise<string[]> {
  const paused = agents.filter(({ state }) => state === 'paused')
  const alarms = await Promise.all(paused.map(({ createdAt, workspace }) => alarmSince(workspace, home, createdAt)))
  return paused.flatMap(({ name }, index) => {
    const text = alarms[index]
    return text === undefined ? [] : describeAlarm(text, name, home)
  })
}
