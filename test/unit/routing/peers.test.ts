// Owns which agents reach which others: those that list each other.
import { expect, it } from 'vitest'
import { peerViews } from '../../../src/routing/peers.js'

type Peering = Parameters<typeof peerViews>[0][number]

function agent(name: string, peers: string[] | undefined, more: Partial<Peering> = {}): Peering {
  const network = peers && { host: [], peers, policy: 'strict' as const, rules: [] }
  return { forwards: [8080], name, runId: name, state: 'running', ...(network && { network }), ...more }
}

const views = (...agents: Peering[]) => peerViews(agents).map(({ peer, runId, state }) => `${runId} ${peer} ${state}`)

it('lets in only those that list each other, and knows who does not', () => {
  expect(views(agent('a', ['b']), agent('b', ['a']))).toEqual(['a b open', 'b a open'])
  expect(views(agent('a', ['b']), agent('b', undefined))).toEqual(['a b unlisted-there', 'b a unlisted-here'])
  expect(views(agent('a', ['b']), agent('b', ['c']), agent('c', ['a']))).toEqual([
    'a b unlisted-there',
    'a c unlisted-here',
    'b a unlisted-here',
    'b c unlisted-there',
    'c a unlisted-there',
    'c b unlisted-here',
  ])
})

it('knows of agents that do not run, and of none that was not listed', () => {
  expect(views(agent('a', ['b']), agent('b', ['a'], { state: 'exited' }))).toEqual(['a b absent'])
  expect(views(agent('a', []), agent('b', undefined))).toEqual([])
  expect(views(agent('a', ['a']))).toEqual([])
})

it('is only about agents that ask the proxy from inside', () => {
  const { forwards: _, ...outside } = agent('a', ['b'])
  expect(views(outside, agent('b', ['a']))).toEqual(['b a open'])
})
