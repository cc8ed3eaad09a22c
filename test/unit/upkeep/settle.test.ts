import { describe, expect, it } from 'vitest'
import { emptyTable, type RouteTable } from '../../../src/routing/route-table.js'
import { LeftOut } from '../../../src/upkeep/left-out.js'
import { settle } from '../../../src/upkeep/settle.js'

/** Refuses what contains a bad part, and two of the same kind together. */
function judge() {
  const inForce: { parts: string[] } = { parts: [] }
  let asked = 0
  const attempt = async (parts: readonly string[]) => {
    asked += 1
    if (parts.some((part) => part.startsWith('bad'))) return 'bad'
    const kinds = parts.map((part) => part.split('/')[0])
    if (new Set(kinds).size < kinds.length) return 'twice'
    inForce.parts = [...parts]
    return undefined
  }
  return { asked: () => asked, attempt, inForce }
}

describe('settle', () => {
  it.each([
    [[], ['a', 'b'], ['a', 'b'], []],
    [['a'], ['bad', 'b'], ['b'], ['bad']],
    [['a'], ['bad'], [], ['bad']],
    [[], ['bad1', 'bad2', 'bad3'], [], ['bad1', 'bad2', 'bad3']],
    [['x/1'], ['a', 'x/2', 'b'], ['a', 'b'], ['x/2']],
    [[], ['x/1', 'x/2', 'x/3', 'a'], ['x/1', 'a'], ['x/2', 'x/3']],
  ])('to %j adds of %j all but what is refused', async (base, fresh, accepted, refused) => {
    const { attempt, inForce } = judge()
    await attempt(base)
    const settled = await settle<string>(base, fresh, attempt)
    expect(settled.accepted).toEqual(accepted)
    expect(settled.refused.map(({ part }) => part)).toEqual(refused)
    expect(inForce.parts).toEqual([...base, ...accepted])
  })

  it('finds one bad part of a thousand with few questions', async () => {
    const { asked, attempt, inForce } = judge()
    const parts = Array.from({ length: 1_000 }, (_, index) => (index === 617 ? 'bad' : `part${index}`))
    await settle<string>([], parts, attempt)
    expect(inForce.parts).toHaveLength(999)
    expect(asked()).toBeLessThan(25)
  })
})

describe('parts that are left out', () => {
  const upstream = (host: string) => ({ dial: '127.0.0.1:1', host, protocol: 'http' as const })
  const table = (...hosts: string[]): RouteTable => ({ ...emptyTable, upstreams: hosts.map(upstream) })
  const hosts = ({ upstreams }: RouteTable) => upstreams.map(({ host }) => host)
  const push = async (pushed: RouteTable) => (hosts(pushed).includes('bad.a.localhost') ? 'no' : undefined)

  it('are named, and forgotten with their agents', async () => {
    const left = new LeftOut()
    const all = table('bad.a.localhost', 'web.b.localhost')
    await left.settle(all, push, new Error('no'))
    expect(hosts(left.without(all))).toEqual(['web.b.localhost'])
    expect(left.describe(all)).toBe('Caddy rejects what bad.a.localhost needs, and serves the others: no.')
    expect(left.describe(table('web.b.localhost'))).toBeUndefined()
    expect(hosts(left.without(all))).toEqual(['bad.a.localhost', 'web.b.localhost'])
  })

  it('never take away what is served', async () => {
    const left = new LeftOut()
    left.accepted(table('web.b.localhost'))
    const pushed: string[][] = []
    const watched = async (one: RouteTable) => {
      pushed.push(hosts(one))
      return push(one)
    }
    await left.settle(table('bad.a.localhost', 'web.b.localhost', 'web.c.localhost'), watched, new Error('no'))
    expect(pushed.every((one) => one.includes('web.b.localhost'))).toBe(true)
    expect(pushed.at(-1)).toEqual(['web.b.localhost', 'web.c.localhost'])
  })

  it('are not to blame when nothing is taken without them either', async () => {
    const refusal = new Error('no')
    await expect(new LeftOut().settle(table('web.b.localhost'), async () => 'no', refusal)).rejects.toBe(refusal)
  })
})
