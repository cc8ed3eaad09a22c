// Owns what a provider of grants is: the plain data from moat's own list, from ~/.moat/providers and from plugins. No behaviour.

/** Hosts, and what requests to them are given. */
export interface ProviderRule {
  /** Username of Basic authentication; the password is the value. */
  basic?: string
  /** Headers with what they are set to. `{token}` is the value: `Bearer {token}`. */
  headers?: Record<string, string>
  /** Lower case, no patterns. `{host}` is the provider's `host`, or what the user gave in its place. */
  hosts: string[]
  /** Only these paths get it, `*` for one segment and `**` for any number. Default: all. */
  paths?: string[]
  /** Default: 443. */
  ports?: number[]
  query?: Record<string, string>
  /** Headers of the agent's own that would be in the way. */
  remove?: string[]
  /** The same of its query. */
  removeQuery?: string[]
}

/**
 * What the container has in the place of the value, because programs refuse to start without one. `{placeholder:36}` is 36
 * characters that mean nothing, `{file:npmrc}` the path of a file below.
 */
export interface ProviderContainer {
  env?: Record<string, string>
  /** By their names, their text. A line with `{scope}` is there once for each `--scope`. */
  files?: Record<string, string>
  /** Settings of git. */
  git?: Record<string, string>
}

export interface GrantProvider {
  /** Hosts that it also needs, where nothing is put in: downloads, signed storage. `*.example.com` is allowed here. */
  allow?: string[]
  /** A GET that only succeeds with a good value. Its URL is one that gets it. */
  check?: {
    headers?: Record<string, string>
    /** Statuses that mean the value is no good. Default: 401 and 403. */
    refused?: number[]
    url: string
    /** The field of the JSON answer that says whose value it is. */
    who?: string
  }
  container?: ProviderContainer
  /** The host that `{host}` stands for, unless the user names another. */
  host?: string
  inject: ProviderRule[]
  name: string
  /**
   * True when the value itself goes into the container, as `{Field}` in its files: for services whose requests are signed. Only
   * for values that end soon.
   */
  reveals?: boolean
  title: string
  /** Where a value is found on the user's machine, and how to get one. */
  value?: {
    /** A program that prints it. */
    command?: string[]
    /** Fields that it must have, of a command that prints JSON. Default: `token`. */
    fields?: string[]
    /** Variables, the first that is set. */
    env?: string[]
    /** One sentence on what kind of value is best. */
    hint?: string
    /** Where one is made. */
    url?: string
  }
}
