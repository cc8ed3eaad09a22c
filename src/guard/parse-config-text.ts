// Owns reading a git config as git does, at once and in this process: the guard of a repository has no time to start git while an
// agent may write. What git refuses is refused. Pure.
import type { ConfigEntry } from '../worktrees/repository-config.js'

const escapes: Record<string, string> = { '"': '"', '\\': '\\', b: '\b', n: '\n', t: '\t' }

/** Undefined for what git cannot read. */
export function parseConfigText(text: string): ConfigEntry[] | undefined {
  try {
    return new Reader(text).entries()
  } catch (error) {
    if (error instanceof Unreadable) return undefined
    throw error
  }
}

class Unreadable extends Error {}

class Reader {
  #at = 0
  readonly #text: string

  constructor(text: string) {
    // As git takes them: a line may end like Windows' do, and the last one need not end, be it to go on.
    this.#text = `${text.replace(/^\ufeff/, '').replaceAll('\r\n', '\n')}\n\n`
  }

  entries(): ConfigEntry[] {
    const found: ConfigEntry[] = []
    let section = ''
    while (this.#at < this.#text.length) {
      if (this.#take(/[ \t\r\n]+|[#;][^\n]*/y)) continue
      if (this.#take(/\[/y)) section = this.#section()
      else found.push(this.#entry(section))
    }
    return found
  }

  /** With its point. */
  #section(): string {
    const name = (this.#take(/[A-Za-z0-9.-]*/y) ?? '').toLowerCase()
    if (!this.#take(/[ \t\r]+/y)) {
      this.#must(/\]/y)
      return `${name}.`
    }
    const quoted = this.#must(/"((?:[^"\\\n]|\\[^\n])*)"\]/y)
    return `${name}.${quoted.slice(1, -2).replace(/\\(.)/gs, '$1')}.`
  }

  #entry(section: string): ConfigEntry {
    const key = section + this.#must(/[A-Za-z][A-Za-z0-9-]*/y).toLowerCase()
    this.#take(/[ \t]+/y)
    if (this.#take(/\n/y)) return { key }
    this.#must(/=/y)
    return { key, value: this.#value() }
  }

  #value(): string {
    let [isQuoted, value, space] = [false, '', '']
    for (;;) {
      const next = this.#must(/./sy)
      if (next === '\n') {
        if (isQuoted) throw new Unreadable()
        return value
      }
      if (!isQuoted && /[ \t\r]/.test(next)) {
        // Not at the beginning, nor at the end.
        if (value !== '') space += next
        continue
      }
      if (!isQuoted && /[#;]/.test(next)) {
        this.#take(/[^\n]*/y)
        continue
      }
      value += space
      space = ''
      if (next === '"') isQuoted = !isQuoted
      else value += next === '\\' ? this.#escaped() : next
    }
  }

  #escaped(): string {
    const next = this.#must(/./sy)
    if (next === '\n') return ''
    const meant = escapes[next]
    if (meant === undefined) throw new Unreadable()
    return meant
  }

  #must(pattern: RegExp): string {
    const found = this.#take(pattern)
    if (found === undefined) throw new Unreadable()
    return found
  }

  #take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at
    const found = pattern.exec(this.#text)?.[0]
    // Nothing has been taken where a pattern fits nothing.
    this.#at += found?.length ?? 0
    return found
  }
}
