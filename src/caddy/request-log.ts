// Owns what Caddy logs: its own complaints, and requests, but those only of hosts that somebody watches. Pure.

const requestLogger = 'moat_requests'

/** Of the server: requests to these hosts are logged, others are not. Nothing at all without hosts: it costs a quarter of the speed. */
export function accessLog(recorded: readonly string[]) {
  if (recorded.length === 0) return {}
  const names = recorded.toSorted().map((host) => [host, [requestLogger]])
  return { logs: { logger_names: Object.fromEntries(names), skip_unmapped_hosts: true } }
}

/**
 * Made for every request and every 32 kB of an answer, with the request as JSON in it, whatever the level: a twentieth of Caddy's
 * time. Nobody misses what it says, for failed requests are in the log of errors too.
 */
const costly = 'http.handlers.reverse_proxy'

/** Of Caddy. What is not shown is not written: headers may hold secrets. */
export function logging({ accessSocket, recorded }: { accessSocket: string; recorded: readonly string[] }) {
  if (recorded.length === 0) return { logs: { default: { exclude: [costly], level: 'WARN' } } }
  const logger = `http.log.access.${requestLogger}`
  const fields = ['bytes_read', 'request>headers', 'request>tls', 'resp_headers', 'user_id']
  return {
    logs: {
      default: { exclude: [costly, logger], level: 'WARN' },
      requests: {
        encoder: {
          fields: Object.fromEntries(fields.map((field) => [field, { filter: 'delete' }])),
          format: 'filter',
          wrap: { format: 'json' },
        },
        include: [logger],
        level: 'INFO',
        writer: { address: `unix/${accessSocket}`, output: 'net', soft_start: true },
      },
    },
  }
}
