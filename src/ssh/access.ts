// Owns the plain data of what a grant lets agents do by ssh: to which host, with which keys. No behaviour, no I/O.

export interface SshAccess {
  /** The socket of the user's agent, where ssh's own settings name one; absent: `SSH_AUTH_SOCK` of the proxy. */
  agentSocket?: string
  /** The user is asked before each signature. */
  confirm?: true
  /** Lower case. */
  host: string
  /** Public keys of the host, in Base64, as the user's known_hosts has them: what is signed is for nobody else. */
  hostKeys: string[]
  keys: SshKey[]
  port: number
  /** Commits, too, may be signed with its keys. */
  signs?: true
}

/** A key of the user's. */
export interface SshKey {
  /** The public half, in Base64. */
  blob: string
  /** Path of the private one; absent: the user's agent has it. */
  file?: string
}
