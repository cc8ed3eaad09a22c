// Owns what a trust store is to moat: a place that clients read their authorities from, changed by commands a person
// could type. One file beside this one for each kind.
import type { ProxyAddress } from '../../routing/urls.js'
import type { Fingerprint, Root } from '../roots.js'

/** A moat root that a store has. */
export interface StoredRoot {
  fingerprint: Fingerprint
  /** How the store calls it: a file, a nickname, a hash. */
  label: string
}

/** One thing to do, and how a person would type it. */
export interface Step {
  run(): Promise<void>
  text: string
}

export interface StoreChange {
  add?: Root
  remove: readonly StoredRoot[]
}

/** What a client that uses the store made of the running proxy. */
export interface Verdict {
  /** The program that tried; absent when there is none. */
  client?: string
  /** Why it is not trusted, or could not be tried. */
  reason?: string
  trusted: boolean | undefined
}

export interface TrustStore {
  /** For --json. */
  readonly id: string
  /** For people. */
  readonly name: string
  /** What to do for a change. Rejects with TRUST_FAILED when a tool is missing. */
  change(change: StoreChange): Promise<Step[]>
  /** Shakes hands with the proxy on a port of this machine, as its domain, through a client that uses this store. */
  probe(address: ProxyAddress): Promise<Verdict>
  /** The moat roots in it, this installation's and others'. */
  roots(): Promise<StoredRoot[]>
}

/** The machine as stores see it; tests have another. */
export interface StoreContext {
  env: NodeJS.ProcessEnv
  /** Where moat remembers how databases were before it changed them. */
  memory: string
  platform: NodeJS.Platform
  /** Stands before absolute paths of the system; empty outside of tests. */
  systemRoot: string
  userHome: string
}
