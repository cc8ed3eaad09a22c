// Owns following the engine's events, as far as they concern agents' routes.
import type { Readable } from 'node:stream'
import type Docker from 'dockerode'
import type { EndedContainers } from './ended-containers.js'
import { engineError } from './engine-errors.js'
import { jsonLines } from './json-lines.js'
import { labels } from './labels.js'

export interface WatchHandlers {
  onChange: () => void
  onEnd: (reason: Error) => void
}

interface ContainerEvent {
  Action?: string
  Actor?: { Attributes?: Record<string, string>; ID?: string }
}

/** Events after which an agent may have other routes, or none. What Docker calls `destroy` is Podman's `remove`. */
const routeEvents = new Set([
  'destroy',
  'die',
  'oom',
  'pause',
  'remove',
  'rename',
  'restart',
  'start',
  'stop',
  'unpause',
])

/** Docker tells of these a moment before its list does: so there is another look, and one for a busy machine. Milliseconds. */
const earlyEvents = new Set(['die', 'pause', 'rename', 'unpause'])
const laterLooks = [100, 1_000]

/** As Engine.watch. */
export async function watchAgents(
  docker: Docker,
  { address, ended, moatHome }: { address: string; ended: EndedContainers; moatHome: string | undefined },
  { onChange, onEnd }: WatchHandlers,
  signal: AbortSignal,
): Promise<void> {
  // The engine answers a moment before it listens; `since` makes it report what happened in that moment.
  const since = Date.now() / 1000
  // Not by label: Podman's filter finds nothing without the label's value.
  const filters = { type: ['container' as const] }
  let events: Readable
  try {
    events = (await docker.getEvents({ abortSignal: signal, filters, since })) as unknown as Readable
  } catch (error) {
    if (signal.aborted) return
    throw engineError('report its events', error, address)
  }
  const lookAgain = () => {
    if (!signal.aborted) onChange()
  }
  const follow = async () => {
    for await (const value of jsonLines(events)) {
      const event = value as ContainerEvent
      if (signal.aborted || !concernsRoutes(event, moatHome)) continue
      ended.note(event.Action ?? '', event.Actor?.ID ?? '')
      onChange()
      if (earlyEvents.has(event.Action ?? '')) for (const wait of laterLooks) setTimeout(lookAgain, wait).unref()
    }
    throw new Error('it ended its stream of events')
  }
  follow().catch((error: unknown) => {
    ended.forget()
    if (!signal.aborted) onEnd(engineError('report its events', error, address))
  })
}

/** By what a container says of itself: an event only makes the supervisor look, and the look goes by seals. */
function concernsRoutes({ Action, Actor }: ContainerEvent, moatHome: string | undefined): boolean {
  if (Action === undefined || !routeEvents.has(Action)) return false
  const { [labels.home]: home, [labels.runId]: runId } = Actor?.Attributes ?? {}
  return Boolean(runId) && (moatHome === undefined || (home || moatHome) === moatHome)
}
