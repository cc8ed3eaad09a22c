// Owns which paths git ignores, by the files that say so, with no git: those files may be an agent's, and git waits for a pipe.
import { unsafe } from './git-place.js'
import { type IgnorePattern, parsePatterns } from './ignore-patterns.js'

/** Lines of one file that are heeded: a person's has some dozens, and each is looked at for each path. */
const mostPatterns = 5_000

/** What matching may take in all, for one look through a workspace. Milliseconds: thousands of files take some tens. */
const mostTime = 20_000
/** Patterns between two looks at the clock. */
const breath = 64

/** The rules that hold in a directory: its own before those of the directories above it. Paths are raw, relative to the top. */
export class IgnoreRules {
  readonly #base: string
  readonly #outer: IgnoreRules | undefined
  readonly #patterns: readonly IgnorePattern[]
  /** What all of these rules have taken by now. */
  readonly #taken: { milliseconds: number }
  /** What paths are to have before them: where the top that they are relative to lies. */
  readonly #prefix: string

  private constructor(patterns: readonly IgnorePattern[], base: string, outer?: IgnoreRules, prefix = '') {
    this.#base = base === '' ? '' : `${base}/`
    this.#outer = outer
    this.#patterns = patterns
    this.#prefix = prefix
    this.#taken = outer ? outer.#taken : { milliseconds: 0 }
  }

  /** Rules from the texts of files that are about the whole tree; later ones win. */
  static of(...texts: string[]): IgnoreRules {
    const all = texts.map((text) => parsePatterns(text).slice(0, mostPatterns))
    return all.slice(1).reduce((outer, own) => new IgnoreRules(own, '', outer), new IgnoreRules(all[0] ?? [], ''))
  }

  /** The same with those of a file in `directory`. */
  within(directory: string, text: string): IgnoreRules {
    const patterns = parsePatterns(text).slice(0, mostPatterns)
    const base = `${this.#prefix}${directory}`.replace(/\/$/, '')
    return patterns.length === 0 ? this : new IgnoreRules(patterns, base, this, this.#prefix)
  }

  /** The same for paths relative to a directory, `prefix`, which ends in a slash. */
  below(prefix: string): IgnoreRules {
    return prefix === '' ? this : new IgnoreRules([], '', this, prefix)
  }

  /** Of a path whose directories are not ignored themselves. Throws REPOSITORY_UNSAFE when patterns take too long. */
  ignores(relative: string, isDirectory: boolean): boolean {
    const start = performance.now()
    try {
      return this.#judge(relative, isDirectory, start)
    } finally {
      this.#taken.milliseconds += performance.now() - start
    }
  }

  #judge(relative: string, isDirectory: boolean, start: number): boolean {
    const path = this.#prefix + relative
    const name = path.slice(path.lastIndexOf('/') + 1)
    for (let rules: IgnoreRules | undefined = this; rules; rules = rules.#outer) {
      const below = path.slice(rules.#base.length)
      for (let index = rules.#patterns.length - 1; index >= 0; index -= 1) {
        if (index % breath === 0) this.#assertSoon(start)
        const pattern = rules.#patterns[index]
        if (!pattern || (pattern.directory && !isDirectory)) continue
        if (pattern.match(pattern.anchored ? below : name)) return !pattern.negative
      }
    }
    return false
  }

  #assertSoon(start: number): void {
    if (this.#taken.milliseconds + performance.now() - start < mostTime) return
    throw unsafe(
      'To match the patterns of .gitignore files takes too long: there are very many, or some were made for that.',
      ['find . -name .gitignore -size +8k'],
    )
  }

  /** True where nothing is ignored at all. */
  get isEmpty(): boolean {
    return this.#patterns.length === 0 && (this.#outer?.isEmpty ?? true)
  }

  /** False where nothing below the directory can match but by a name alone. */
  leadsInto(directory: string): boolean {
    const parts = directory.split('/')
    return this.#patterns.some((pattern) => pattern.anchored && !pattern.negative && couldBeBelow(pattern, parts))
  }
}

function couldBeBelow({ parts: pattern }: IgnorePattern, parts: readonly string[]): boolean {
  for (const [index, part] of parts.entries()) {
    const own = pattern[index]
    if (own === '**') return true
    // Only what stands there letter by letter: a name for all is not meant for what others have installed.
    if (own !== part) return false
  }
  return pattern.length > parts.length
}
