// Owns what a repository's config says while an agent works in it: what of it was accepted last, and putting that back. What has no
// time is done at once and without git; what git itself takes of it decides, a moment later.
import { randomUUID } from 'node:crypto'
import { lstatSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { replaceFileNow } from '../config/replace-file.js'
import { shellQuote } from '../config/shell-quote.js'
import { messageOf } from '../errors.js'
import type { GitPlace } from '../worktrees/git-place.js'
import { type GitConfigText, readConfigAt } from '../worktrees/read-git-file.js'
import { type ConfigEntry, parseConfig } from '../worktrees/repository-config.js'
import { readAllowed, refusedFile } from './allowed-settings.js'
import { remotesOf, suspectKeys } from './judge-config.js'
import { nameKeys } from './name-keys.js'
import { parseConfigText } from './parse-config-text.js'

export const configNames = ['config', 'config.worktree']

interface Accepted extends GitConfigText {
  entries: ConfigEntry[]
}

export class GuardedConfigs {
  /** The last of each that was as it should be. */
  readonly #accepted = new Map<string, Accepted>()
  readonly #home: string
  readonly #place: GitPlace
  /** What was put back at once, and is still to be judged. */
  readonly #refused = new Map<string, GitConfigText>()
  /** All there have been. */
  readonly #remotes = new Set<string>()

  private constructor(place: GitPlace, home: string) {
    this.#home = home
    this.#place = place
  }

  /** Takes what is there for good. Throws REPOSITORY_UNSAFE. */
  static async begin(place: GitPlace, home: string): Promise<GuardedConfigs> {
    const configs = new GuardedConfigs(place, home)
    for (const name of configNames) {
      const path = configs.#path(name)
      const read = readPlain(path)
      if (read) configs.#accepted.set(name, { ...read, entries: await parseConfig(read.text, path) })
    }
    return configs
  }

  /** True from when something was put back at once until it is judged. */
  get isPending(): boolean {
    return this.#refused.size > 0
  }

  /** Puts back what names a program, before git can start; calls `found` before. What git would refuse can wait. */
  putBackNow(found: () => void): void {
    for (const name of configNames) {
      const read = readPlain(this.#path(name))
      if (!read || this.#accepted.get(name)?.text.equals(read.text)) continue
      const entries = parseConfigText(read.text.toString())
      if (!entries || this.#suspects(name, entries).length === 0) continue
      found()
      // Of several the first: what comes after it may be an agent's that goes on.
      if (!this.#refused.has(name)) this.#refused.set(name, read)
      this.#putBack(name)
    }
  }

  /** What a person must know of it, after `keep` was called; undefined for what is accepted. */
  async judge(name: string, keep: () => void): Promise<string | undefined> {
    const path = this.#path(name)
    const early = this.#refused.get(name)
    const texts = [...(early ? [early] : []), readPlain(path)]
    for (const read of texts) {
      const entries = read && (await parseConfig(read.text, path).catch(() => undefined))
      const keys = entries ? this.#suspects(name, entries) : ['what git cannot read']
      if (keys.length > 0) {
        // At once: an agent must not go on because of what goes wrong later.
        keep()
        this.#refused.delete(name)
        return this.#refuse(name, keys, read)
      }
      if (!read || !entries) continue
      this.#accepted.set(name, { ...read, entries })
      // It was taken for something else than git takes it for.
      if (read === early) this.#putBack(name)
    }
    this.#refused.delete(name)
    return undefined
  }

  /** Keys that an agent may have set. */
  #suspects(name: string, entries: readonly ConfigEntry[]): string[] {
    const before = this.#accepted.get(name)?.entries ?? []
    for (const remote of remotesOf(before)) this.#remotes.add(remote)
    const allowed = name === 'config' ? readAllowed(this.#place, this.#home) : []
    return suspectKeys(before, entries, this.#remotes, allowed)
  }

  #refuse(name: string, keys: readonly string[], refused: GitConfigText | undefined): string {
    const path = this.#path(name)
    const aside = refusedFile(this.#place, this.#home, name)
    const found = `${path} had ${nameKeys(keys)} in it, maybe from an agent, which can write the file since git on this machine has replaced it`
    try {
      if (refused) writeFileSync(aside, refused.text, { mode: 0o600 })
      this.#putBack(name)
    } catch (error) {
      return `${found}; it could not be put back: ${messageOf(error)}.`
    }
    const [from, to] = [shellQuote(aside), shellQuote(path)]
    const { commonDir, root = commonDir } = this.#place
    const again =
      name === 'config'
        ? `moat approve --git ${shellQuote(root)}`
        : `look at it, and set it again when no agent is at work here: diff ${to} ${from}; cp ${from} ${to}`
    const kept = ` What it said is kept, in ${from}. If that was you: ${again}`
    return `${found}; it is as it was before.${refused ? kept : ''}`
  }

  /**
   * As a new file: an agent may have links to the one that is there. Without git's lock, which an agent can take as well, and which would
   * be in git's way if this process were killed: what another git writes at this moment is looked at again.
   */
  #putBack(name: string): void {
    const path = this.#path(name)
    const { mode = 0o644, text = '' } = this.#accepted.get(name) ?? {}
    if (lstatSync(path, { throwIfNoEntry: false })?.isDirectory()) renameSync(path, `${path}.${randomUUID()}`)
    replaceFileNow(path, text, mode)
  }

  #path(name: string): string {
    return join(this.#place.commonDir, name)
  }
}

/** Undefined for what is absent, or no plain file. An agent may have put anything there. */
function readPlain(path: string): GitConfigText | undefined {
  try {
    return readConfigAt(path)
  } catch {
    return undefined
  }
}
