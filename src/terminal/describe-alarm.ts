// Owns what a person is told when the guard of a repository has put something back, and paused who was at work there.
import { shellQuote } from '../config/shell-quote.js'
import { visible } from '../config/visible.js'
import { containerName } from '../engine/labels.js'
import type { AgentView } from '../routing/agent-view.js'

export function describeAlarm(text: string, name: string, home: string): string[] {
  const container = shellQuote(containerName(name, home))
  return [
    visible(text),
    `${name} is paused. To let it go on: docker unpause ${container}. To end it: moat stop ${shellQuote(name)}`,
  ]
}

export function describeAlarms(agents: readonly AgentView[], home: string): string[] {
  return agents.flatMap(({ alarm, name }) => (alarm === undefined ? [] : describeAlarm(alarm, name, home)))
}
