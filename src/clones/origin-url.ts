// Owns what of a remote's URL an agent may read: where it is, and none of what it takes to get in. Pure.

/** Undefined for one that cannot be told apart from what must not be read. */
export function withoutCredentials(url: string): string | undefined {
  if (/[\p{C}\p{Z}]/u.test(url)) return undefined
  const parts = /^([a-z][a-z0-9+.-]*):\/\/([^/?#\\]*)([^?#]*)(?:[?#].*)?$/i.exec(url)
  if (parts) {
    const [, scheme = '', authority = '', path = ''] = parts
    const user = authority.slice(0, Math.max(0, authority.lastIndexOf('@')))
    const host = authority.slice(authority.lastIndexOf('@') + 1)
    // Over HTTP a user alone is a token; over SSH it is the name of an account.
    const account = /^ssh$|^(git\+ssh|ssh\+git)$/i.test(scheme) && /^[\w.-]+$/.test(user.split(':', 1)[0] ?? '')
    const shown = account ? `${user.split(':', 1)[0]}@` : ''
    return path.includes('@') && user === '' ? undefined : `${scheme}://${shown}${host}${path}`
  }
  // `git@host:path` has no password in it, and a path none either. Anything else with `://` was not understood.
  return url.includes('://') || /^[^/]*:[^/]*@/.test(url) || /^[^/:]+::/.test(url) ? undefined : url
}
