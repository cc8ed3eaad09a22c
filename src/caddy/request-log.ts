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

/** Where layer4 ends TLS. A client that does not trust the authority is an error to it. */
const wrapper = 'caddy.listeners.layer4'
/** It warns of every connection that layer4 has ended TLS of, and at every push. */
const servers = 'http'

/** Of Caddy. What is not shown is not written: headers may hold secrets. */
export function logging({
  accessSocket,
  egress,
  plain,
  recorded,
}: Pick<CaddySettings, 'accessSocket' | 'egress' | 'plain' | 'recorded'>) {
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
  const elsewhere = [costly, ...loggers.map(({ logger }) => named(logger))]
  const layer4 = plain !== undefined
  return {
    logs: {
      default: { exclude: layer4 ? [wrapper, servers] : elsewhere, level: 'WARN' },
      ...Object.fromEntries(logs),
      ...(layer4 && { servers: { exclude: elsewhere, include: [servers], level: 'ERROR' } }),
    },
  }
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
