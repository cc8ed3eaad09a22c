// Owns what a `reverse_proxy` of routes may be told: it reaches the container the routes are of, and nothing else.
import { z } from 'zod'
import { headerOperations } from './header-operations.js'
import { matcherSets } from './matchers.js'
import { rewriteFields } from './rewrite.js'
import { count, duration, flag, sentName, text } from './schema-parts.js'

/** Whole, so that no network, no other host and no path can stand before or after it. */
const dial = text.regex(
  /^\{moat\.dial\.[1-9]\d{0,4}\}$/,
  'must be {moat.dial.PORT} and nothing else: routes reach their own container only',
)

const transport = z.strictObject({
  compression: z.exactOptional(flag),
  dial_timeout: z.exactOptional(duration),
  expect_continue_timeout: z.exactOptional(duration),
  keep_alive: z.exactOptional(
    z.strictObject({
      enabled: z.exactOptional(flag),
      idle_timeout: z.exactOptional(duration),
      max_idle_conns: z.exactOptional(count),
      max_idle_conns_per_host: z.exactOptional(count),
      probe_interval: z.exactOptional(duration),
    }),
  ),
  max_conns_per_host: z.exactOptional(count),
  protocol: z.literal('http'),
  read_timeout: z.exactOptional(duration),
  response_header_timeout: z.exactOptional(duration),
  tls: z.exactOptional(
    z.strictObject({
      handshake_timeout: z.exactOptional(duration),
      insecure_skip_verify: z.exactOptional(flag),
      server_name: z.exactOptional(text),
    }),
  ),
  versions: z.exactOptional(z.array(z.enum(['1.1', '2', 'h2c']))),
  write_timeout: z.exactOptional(duration),
})

const loadBalancing = z.strictObject({
  retries: z.exactOptional(z.int().min(0).max(100)),
  retry_match: z.exactOptional(matcherSets),
  selection_policy: z.exactOptional(
    z.strictObject({
      policy: z.enum(['client_ip_hash', 'first', 'ip_hash', 'least_conn', 'random', 'round_robin', 'uri_hash']),
    }),
  ),
  try_duration: z.exactOptional(duration),
  try_interval: z.exactOptional(duration),
})

/** Only what is seen of requests: active checks ask by themselves, and follow where they are sent. */
const healthChecks = z.strictObject({
  passive: z.exactOptional(
    z.strictObject({
      fail_duration: z.exactOptional(duration),
      max_fails: z.exactOptional(count),
      unhealthy_latency: z.exactOptional(duration),
      unhealthy_request_count: z.exactOptional(count),
      unhealthy_status: z.exactOptional(z.array(z.int().min(1).max(599))),
    }),
  ),
})

/** `responses` is what `handle_response` may hold. */
export function reverseProxy(responses: z.ZodType) {
  return z.strictObject({
    flush_interval: z.exactOptional(duration.or(z.literal(-1))),
    handle_response: z.exactOptional(responses),
    handler: z.literal('reverse_proxy'),
    headers: z.exactOptional(headerOperations(sentName)),
    health_checks: z.exactOptional(healthChecks),
    load_balancing: z.exactOptional(loadBalancing),
    rewrite: z.exactOptional(z.strictObject(rewriteFields)),
    stream_close_delay: z.exactOptional(duration),
    stream_timeout: z.exactOptional(duration),
    transport: z.exactOptional(transport),
    upstreams: z
      .array(z.strictObject({ dial, max_requests: z.exactOptional(count) }))
      .min(1)
      .max(20),
  })
}
