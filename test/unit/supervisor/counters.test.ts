import { describe, expect, it } from 'vitest'
import { bucketBounds, type HostCounts, parseMetrics } from '../../../src/caddy/metrics.js'
import { emptyTable, type RouteTable } from '../../../src/routing/route-table.js'
import { Counters, slotCount, slotLength } from '../../../src/supervisor/counters.js'

const host = 'web.shop.localhost'

/** Counts as Caddy would have them, each request in the class of index `bucket`. */
const counted = (requests: number, { bucket = 0, errors = 0 } = {}): Map<string, HostCounts> => {
  const buckets = Array(bucketBounds.length + 1).fill(0)
  buckets[bucket] = requests
  return new Map([[host, { buckets, errors, requests }]])
}
const start = 1_000 * slotLength
const tableOf = (of: string, runId: string): RouteTable => ({
  ...emptyTable,
  doors: [{ agent: 'shop', host: of, port: 3000, runId }],
})

describe('Counters', () => {
  it('add up over configs that begin at zero, and over a restart that nobody told of', () => {
    const counters = new Counters()
    counters.add(counted(10), start)
    counters.add(counted(25, { errors: 5 }), start)
    counters.restarted()
    // As many as before, or more: only having been told makes them new.
    counters.add(counted(40), start)
    counters.add(counted(3), start)
    expect(counters.of([host], start)).toMatchObject({ errorRate: 0.0735, errors: 5, requests: 68 })
  })

  it('tell rates of the last minute and a history of the last minutes, which passes', () => {
    const counters = new Counters()
    counters.add(counted(30), start)
    counters.add(counted(90), start + 2 * slotLength)
    const now = start + 2 * slotLength + 5_000
    const { history, perSecond } = counters.of([host], now)
    expect(history.slice(-3)).toEqual([30, 0, 60])
    expect([history.length, perSecond]).toEqual([slotCount, Number((90 / 55).toFixed(2))])
    expect(counters.of([host], now + slotCount * slotLength)).toMatchObject({
      history: Array(slotCount).fill(0),
      p50: null,
      perSecond: 0,
      requests: 90,
    })
  })

  it('estimate percentiles within the class they fall into', () => {
    const counters = new Counters()
    counters.add(counted(90, { bucket: 0 }), start)
    counters.restarted()
    counters.add(counted(10, { bucket: 4 }), start)
    const { p50, p95 } = counters.of([host], start)
    expect(p50).toBeCloseTo((50 / 90) * 5, 1)
    expect(p95).toBe(75)
    counters.restarted()
    counters.add(counted(1_000, { bucket: bucketBounds.length }), start)
    expect(counters.of([host], start).p95).toBe(10_000)
  })

  it('tell of failed and slow requests, and of each slot by itself', () => {
    const counters = new Counters()
    counters.add(counted(10, { errors: 2 }), start)
    counters.add(counted(14, { bucket: 8, errors: 3 }), start + slotLength)
    const { failed, failures, latencies, slow } = counters.of([host], start + slotLength)
    expect([failed, slow, failures.slice(-2)]).toEqual([3, 14, [2, 1]])
    expect(latencies.slice(-2)[0]).toBeLessThan(5)
    expect(latencies.slice(-2)[1]).toBeGreaterThan(1_000)
    expect(latencies.slice(0, -2)).toEqual(Array(slotCount - 2).fill(null))
  })

  describe('of a run', () => {
    const run = (id: string) => tableOf(host, id)
    const requests = (counters: Counters) => counters.of([host], start).requests

    it('begin at zero, though Caddy counts on', () => {
      const counters = new Counters()
      expect(counters.follow(run('one'), new Set(['one']))).toBe(false)
      counters.add(counted(10), start)
      expect(counters.follow(run('two'), new Set(['two']))).toBe(true)
      expect(requests(counters)).toBe(0)
      counters.add(counted(13), start)
      expect(requests(counters)).toBe(3)
    })

    it('begin at zero after somebody asked while there was none', () => {
      const counters = new Counters()
      counters.follow(run('one'), new Set(['one']))
      counters.add(counted(10), start)
      expect(counters.follow(emptyTable, new Set())).toBe(true)
      expect(requests(counters)).toBe(0)
      counters.add(counted(17), start)
      expect(counters.follow(emptyTable, new Set())).toBe(false)
      counters.add(counted(18), start)
      expect(counters.follow(run('two'), new Set(['two']))).toBe(false)
      counters.add(counted(20), start)
      expect(requests(counters)).toBe(2)
    })

    it('stay while it is paused, and are those of its first supervisor’s Caddy', () => {
      const counters = new Counters()
      counters.add(counted(10), start)
      counters.follow(run('one'), new Set(['one']))
      counters.follow(emptyTable, new Set(['one']))
      counters.follow(run('one'), new Set(['one']))
      expect(requests(counters)).toBe(10)
    })
  })

  it('forget hosts that nobody has', () => {
    const counters = new Counters()
    counters.add(counted(10), start)
    counters.follow(tableOf('web.other.localhost', 'one'), new Set(['one']))
    expect(counters.of([host], start).requests).toBe(0)
  })
})

describe('parseMetrics', () => {
  const labels = (code: string, handler = 'vars') =>
    `code="${code}",handler="${handler}",host="${host}:8080",method="GET",server="moat"`

  it('counts each request once, answers of error routes too, and event streams by when they began', () => {
    const text = `# HELP caddy_http_request_duration_seconds Histogram of round-trip request durations.
caddy_http_response_duration_seconds_bucket{${labels('200')},le="0.005"} 3
caddy_http_response_duration_seconds_bucket{${labels('200')},le="0.01"} 4
caddy_http_response_duration_seconds_bucket{${labels('200')},le="+Inf"} 5
caddy_http_response_duration_seconds_count{${labels('200')}} 5
caddy_http_request_duration_seconds_bucket{${labels('200')},le="+Inf"} 4
caddy_http_request_duration_seconds_count{${labels('200')}} 4
caddy_http_request_duration_seconds_count{${labels('502')}} 2
caddy_http_request_duration_seconds_count{${labels('200', 'reverse_proxy')}} 4
`
    const counts = parseMetrics(text).get(host)
    expect(counts).toMatchObject({ errors: 2, requests: 7 })
    expect([counts?.buckets[0], counts?.buckets[1], counts?.buckets[2]]).toEqual([3, 1, 0])
  })
})
