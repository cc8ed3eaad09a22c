// Owns the plain data of what an agent may reach: `network:` of moat.yaml once it has been read, what is asked of it, and what is
// answered. No behaviour, no I/O.

/** `strict`: nothing but what a rule allows, and no way round it. `permissive`: everything but what a rule denies, by the proxy. */
export type PolicyMode = 'permissive' | 'strict'

export type Effect = 'allow' | 'deny'

/** One line below a host: `deny POST /repos/**`. */
export interface PathRule {
  effect: Effect
  /** Upper case, or `*` for any. */
  method: string
  /** `*` stands for one segment, `**` for any number of them, none too. */
  path: string
  /** As in `NetworkRule`. */
  place?: string
}

export interface NetworkRule {
  effect: Effect
  /** The grant that it is there for, and goes with. With `paths`, the host is opened, so that a value can be put in. */
  grant?: string
  /** Lower case; `*.example.com` is any depth below example.com, not example.com itself; `*` is every host. */
  host: string
  /** In order; the first that matches decides. Only such hosts are intercepted. */
  paths?: PathRule[]
  /** Absent: 80 and 443; of a denial of the whole host, every port. */
  port?: number
  /** Where it is written, for people: `moat.yaml:7:7`, `preset npm`, `--allow`. */
  place?: string
  /** As it was written. */
  text: string
}

export interface NetworkPolicy {
  /** Ports of the user's machine, on its loopback. */
  host: number[]
  /** Names of agents whose endpoints it may reach, if they name it too. */
  peers: string[]
  policy: PolicyMode
  /** In order; the first whose host and port match decides. */
  rules: NetworkRule[]
}

/** What is asked: of a tunnel no more than where it leads. */
export interface EgressRequest {
  /** As it stood in the request, before any DNS. */
  host: string
  method?: string
  /** With or without a query, as it was sent. */
  path?: string
  port: number
}

export interface Verdict {
  allowed: boolean
  /** True when a tunnel there must be opened, to see method and path. */
  intercept: boolean
  /** Why, in a few words: `no rule`, `rule`, `private address`. */
  reason: string
  /** The rule that decided, as it was written; of a path rule, its line. */
  rule?: string
  place?: string
}

/** One line of the network log. */
export interface NetworkLogEntry {
  agent: string
  bytesIn: number
  bytesOut: number
  /** Milliseconds. */
  duration: number
  host: string
  method?: string
  path?: string
  port: number
  reason: string
  rule?: string
  runId: string
  /** ISO 8601. */
  time: string
  verdict: 'allowed' | 'blocked'
}
