// Owns reading Caddy's own counts of requests: from its metrics, in Prometheus' text form, to numbers by host.

/** Upper bounds of the classes that Caddy sorts response times into, in seconds. The last class has none. */
export const bucketBounds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] as const

/** What was counted for one host since Caddy read its config. */
export interface HostCounts {
  /** Answers by the time until they began, one number for each class. */
  buckets: number[]
  /** Requests answered with a status of 500 or more. */
  errors: number
  requests: number
}

/** Every request to an agent passes through it, and is counted there once. */
const countedHandler = 'handler="vars"'
const relevant = /^caddy_http_(request|response)_duration_seconds_(bucket|count)\{(.*)\} (\S+)$/
const label = /(\w+)="((?:[^"\\]|\\.)*)"/g

/**
 * Caddy's `response_duration` ends where the answer begins, which is what a person waits for: an event stream is not
 * slow because it is long. Answers made by error routes are only in `request_duration`.
 */
export function parseMetrics(text: string): Map<string, HostCounts> {
  const byHost = new Map<string, { buckets: number[]; codes: Map<string, { request: number; response: number }> }>()
  for (const line of text.split('\n')) {
    if (!line.includes(countedHandler)) continue
    const [, kind, suffix, labels = '', number] = relevant.exec(line) ?? []
    if (kind === undefined || (kind === 'request' && suffix === 'bucket')) continue
    const { code = '', host = '', le = '' } = Object.fromEntries([...labels.matchAll(label)].map(([, k, v]) => [k, v]))
    const name = host.toLowerCase().replace(/:\d+$/, '')
    const found = byHost.get(name) ?? { buckets: Array(bucketBounds.length + 1).fill(0), codes: new Map() }
    byHost.set(name, found)
    const value = Number(number)
    if (suffix === 'bucket') addBucket(found.buckets, le, value)
    else {
      const counts = found.codes.get(code) ?? { request: 0, response: 0 }
      counts[kind as 'request' | 'response'] += value
      found.codes.set(code, counts)
    }
  }
  return new Map([...byHost].map(([host, { buckets, codes }]) => [host, countsOf(differences(buckets), codes)]))
}

function addBucket(buckets: number[], bound: string, value: number): void {
  const index = bound === '+Inf' ? bucketBounds.length : bucketBounds.indexOf(Number(bound) as 0.005)
  if (index !== -1) buckets[index] = (buckets[index] ?? 0) + value
}

/** Prometheus counts in each class what is in those below too. */
function differences(cumulative: readonly number[]): number[] {
  return cumulative.map((value, index) => Math.max(0, value - (cumulative[index - 1] ?? 0)))
}

function countsOf(buckets: number[], codes: Map<string, { request: number; response: number }>): HostCounts {
  let [errors, requests] = [0, 0]
  for (const [code, { request, response }] of codes) {
    const count = Math.max(request, response)
    requests += count
    if (Number(code) >= 500) errors += count
  }
  return { buckets, errors, requests }
}
