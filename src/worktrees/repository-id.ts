// Owns the id of a repository, the part of a path that tells its worktrees from those of others. Pure.
import { createHash } from 'node:crypto'
import { basename, dirname } from 'node:path'

/** Bytes of one part; file systems take 255. */
const longestPart = 200

/**
 * `host/owner/repo` of a remote's URL in any form git accepts, without user, password, port and query. Undefined for one
 * without a host (a path, `file://`, a remote helper) or with a part that is no directory's name.
 */
export function remoteId(url: string): string | undefined {
  const address = splitUrl(url.trim())
  if (!address) return undefined
  const host = address.host
    .toLowerCase()
    .replace(/^\[|\]$/g, '')
    .replaceAll(':', '-')
  if (!/^[\p{L}\p{N}_][\p{L}\p{N}._-]*$/u.test(host) || host.startsWith('_')) return undefined
  const parts = decode(address.path.replace(/[?#].*$/s, ''))
    ?.replace(/\/+$/, '')
    .replace(/\.git$/, '')
    .split('/')
    .filter((part) => part !== '')
  if (!parts || parts.length === 0 || !parts.every(isPart)) return undefined
  return [host, ...parts.map((part) => part.replace(/[^\p{L}\p{N}._~+-]/gu, '-'))].join('/')
}

/** The id of a repository without such a remote: its directory's name, and a hash of where it is. */
export function localId(commonDir: string): string {
  const directory = basename(commonDir) === '.git' ? dirname(commonDir) : commonDir
  const name = basename(directory)
    .replace(/\.git$/, '')
    .replace(/[^\p{L}\p{N}._~+-]/gu, '-')
    .slice(0, 60)
  return `_local/${name || 'repository'}-${createHash('sha256').update(commonDir).digest('hex').slice(0, 8)}`
}

/** An `@` is refused: what stands before it in a URL git cannot parse may be a password. */
function isPart(part: string): boolean {
  return (
    part !== '.' &&
    part !== '..' &&
    part !== '.git' &&
    !/[\p{Cc}@\\]/u.test(part) &&
    Buffer.byteLength(part) <= longestPart
  )
}

function splitUrl(url: string): { host: string; path: string } | undefined {
  const withScheme = /^([a-z][a-z0-9+.-]*):\/\/([^/?#]*)(.*)$/is.exec(url)
  if (withScheme) {
    const [, scheme = '', authority = '', path = ''] = withScheme
    if (scheme.toLowerCase() === 'file') return undefined
    const address = authority.slice(authority.lastIndexOf('@') + 1)
    return { host: address.replace(/:\d*$/, ''), path }
  }
  // `transport::address` is a remote helper's, `C:\…` a drive's; a slash before the first colon makes it a path.
  if (/^[^/]*::/.test(url.replace(/\[[^\]]*\]/, '')) || /^[a-z]:[\\/]/i.test(url)) return undefined
  // `[user@host:port]:path` is how ssh's short form carries a port.
  const plain = url.replace(/^(?:[^/@]*@)?\[(?:[^/@\]]*@)?([^:\]]+):\d+\]:/, '$1:')
  const scp = /^(?:[^/]*@)?(\[[^\]]+\]|[^:/@[\]]+):(.*)$/s.exec(plain)
  return scp ? { host: scp[1] ?? '', path: scp[2] ?? '' } : undefined
}

function decode(path: string): string | undefined {
  try {
    return decodeURIComponent(path)
  } catch {
    return undefined
  }
}
