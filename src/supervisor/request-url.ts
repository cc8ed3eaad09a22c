// Owns what is asked for in a request over a unix socket: a path, whatever it looks like.
import type { IncomingMessage } from 'node:http'

/** Put after a host, a path that begins with two slashes does not name another one. */
export function requestUrl({ url = '/' }: Pick<IncomingMessage, 'url'>): URL {
  return new URL(`http://moat${url.startsWith('/') ? '' : '/'}${url}`)
}
