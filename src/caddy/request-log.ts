// Owns what Caddy logs: its own complaints, and requests, but those only of hosts that somebody watches. Pure.

import type { CaddySettings } from './caddy-settings.js'
import { reportLogger } from './egress-servers.js'

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
export function logging({
  accessSocket,
  egress,
  recorded,
}: Pick<CaddySettings, 'accessSocket' | 'egress' | 'recorded'>) {
  const loggers = [
    ...(recorded.length > 0 ? [{ logger: requestLogger, name: 'requests', socket: accessSocket }] : []),
    ...(egress ? [{ logger: reportLogger, name: 'egress', socket: egress.reports }] : []),
  ]
  const named = (logger: string) => `http.log.access.${logger}`
  const logs = loggers.map(({ logger, name, socket }) => [
    name,
    {
      encoder: name === 'egress' ? withoutQuery(withoutSecrets(secret)) : withoutSecrets([...secret, 'bytes_read']),
      include: [named(logger)],
      level: 'INFO',
      writer: { address: `unix/${socket}`, output: 'net', soft_start: true },
    },
  ])
  const exclude = [costly, ...loggers.map(({ logger }) => named(logger))]
  return { logs: { default: { exclude, level: 'WARN' }, ...Object.fromEntries(logs) } }
}

const secret = ['request>headers', 'request>tls', 'resp_headers', 'user_id']

/** A query may have in it what is nobody's business, and what a grant put there. */
function withoutQuery({ fields, ...encoder }: ReturnType<typeof withoutSecrets>) {
  return { ...encoder, fields: { ...fields, 'request>uri': { filter: 'regexp', regexp: '[?#].*', value: '' } } }
}

function withoutSecrets(fields: readonly string[]) {
  return {
    fields: Object.fromEntries(fields.toSorted().map((field): [string, object] => [field, { filter: 'delete' }])),
    format: 'filter',
    wrap: { format: 'json' },
  }
}
