// Owns which agents reach which others from inside their containers: both sides have to list each other. Pure.
import { type Agent, isLive } from './agent.js'

/** How things are between an agent and another. */
export interface PeerView {
  /** The other one's name. */
  peer: string
  /** Of the agent that asks. */
  runId: string
  /** Whether it is let in, and else which side does not list the other. */
  state: PeerState
}

/** `open`: both list each other. Else who does not: this agent, or the peer; or there is no such agent now. */
export type PeerState = 'absent' | 'open' | 'unlisted-here' | 'unlisted-there'

type Peering = Pick<Agent, 'forwards' | 'name' | 'network' | 'runId' | 'state'>

/** Of all agents that run, sorted. */
export function peerViews(agents: readonly Peering[]): PeerView[] {
  const live = agents.filter(isLive)
  const names = new Set(live.map(({ name }) => name))
  const listedBy = new Map<string, Set<string>>()
  for (const { name, network } of live) {
    for (const peer of network?.peers ?? []) listedBy.set(peer, (listedBy.get(peer) ?? new Set()).add(name))
  }
  const views = live.flatMap(({ forwards, name, network, runId }): PeerView[] => {
    if (forwards === undefined) return []
    const lists = new Set((network?.peers ?? []).filter((peer) => peer !== name))
    const listing = new Set([...(listedBy.get(name) ?? [])].filter((peer) => peer !== name))
    return [...new Set([...lists, ...listing])].map((peer) => {
      return { peer, runId, state: names.has(peer) ? stateOf(lists.has(peer), listing.has(peer)) : 'absent' }
    })
  })
  return views.toSorted((a, b) => (`${a.runId} ${a.peer}` < `${b.runId} ${b.peer}` ? -1 : 1))
}

function stateOf(here: boolean, there: boolean): PeerState {
  if (here && there) return 'open'
  return here ? 'unlisted-there' : 'unlisted-here'
}
