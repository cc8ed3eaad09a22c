// Owns what a grant may be called: a word, or `ssh:` and a host for logins by ssh. Pure.
import { isDnsLabel } from './dns-label.js'

export interface SshTarget {
  host: string
  port: number
}

const usualPort = 22
const longest = 100

export function isGrantName(text: string): boolean {
  return isDnsLabel(text) || sshTarget(text) !== undefined
}

export function isSshGrant(text: string): boolean {
  return text.startsWith('ssh:')
}

/** Of `ssh:github.com` and `ssh:git.example.com:2222`: each host and port has one name. Undefined for anything else. */
export function sshTarget(text: string): SshTarget | undefined {
  const [, host = '', port] = /^ssh:([a-z0-9.-]+)(?::([1-9]\d{0,4}))?$/.exec(text) ?? []
  const number = port === undefined ? usualPort : Number(port)
  const isNamed = host.split('.').every(isDnsLabel) && !/(^|\.)localhost$/.test(host) && text.length <= longest
  if (!isNamed || number > 65_535 || (port !== undefined && number === usualPort)) return undefined
  return { host, port: number }
}

/** As it is granted. */
export function sshGrantName({ host, port }: SshTarget): string {
  return port === usualPort ? `ssh:${host}` : `ssh:${host}:${port}`
}
