// Owns patterns in gitignore's syntax, as git matches them. Pure. Names and patterns are raw bytes, see raw-name.ts.
//
// Own code, because an agent writes the patterns: as regular expressions, which libraries make of them, some take for ever. Here each
// match takes at most the length of the pattern times that of the name.

export interface IgnorePattern {
  /** With a slash in it, it is about paths from where it is written; else about names wherever they are. */
  anchored: boolean
  /** True if it leads to a directory alone. */
  directory: boolean
  match: (text: string) => boolean
  negative: boolean
  /** What it matches, part by part, for who asks what may lie below. */
  parts: string[]
}

type Step =
  | { byte: string; kind: 'byte' }
  | { has: (byte: string) => boolean; kind: 'set' }
  /** Before a `**` with a slash behind it: both may stand for nothing. */
  | { kind: 'deep' | 'skip' | 'star' }

/** The patterns in the text of a file, in its order. */
export function parsePatterns(text: string): IgnorePattern[] {
  return text
    .replace(/^\xef\xbb\xbf/, '')
    .split('\n')
    .flatMap((line) => parsePattern(line) ?? [])
}

function parsePattern(line: string): IgnorePattern | undefined {
  const whole = withoutTrailingSpaces(line.replace(/\r$/, '').replace(/\0.*$/s, ''))
  if (whole === '' || whole.startsWith('#')) return undefined
  const negative = whole.startsWith('!')
  const body = negative ? whole.slice(1) : whole
  const directory = body.endsWith('/')
  const path = directory ? body.slice(0, -1) : body
  if (path === '') return undefined
  const anchored = path.includes('/')
  const text = path.replace(/^\//, '')
  return { anchored, directory, match: matcher(text), negative, parts: text.split('/') }
}

/** Unless a backslash says that the space is meant. */
function withoutTrailingSpaces(line: string): string {
  let end = 0
  for (let index = 0; index < line.length; index += 1) {
    if (line[index] === '\\') {
      index += 1
      end = Math.min(index + 1, line.length)
    } else if (line[index] !== ' ') end = index + 1
  }
  return line.slice(0, end)
}

/** What tells whether a text is one that `pattern` means. */
export function matcher(pattern: string): (text: string) => boolean {
  if (!/[*?[\\]/.test(pattern)) return (text) => text === pattern
  const ending = /^\*([^*?[\\/]+)$/.exec(pattern)?.[1]
  if (ending !== undefined) return (text) => text.endsWith(ending) && !text.slice(0, -ending.length).includes('/')
  const steps = stepsOf(pattern)
  return steps ? (text) => isMatch(steps, text) : () => false
}

/** Undefined for what matches nothing: a set without its end, a backslash before nothing; and for what is too long. */
function stepsOf(pattern: string): Step[] | undefined {
  if (pattern.length > longest) return undefined
  const steps: Step[] = []
  for (let index = 0; index < pattern.length; ) {
    const byte = pattern[index] ?? ''
    if (byte === '*') {
      const start = index
      while (pattern[index] === '*') index += 1
      const deep = index - start > 1 && (start === 0 || pattern[start - 1] === '/') && isEndOfPart(pattern, index)
      if (deep && pattern[index] === '/') steps.push({ kind: 'skip' })
      steps.push({ kind: deep ? 'deep' : 'star' })
    } else if (byte === '?') {
      steps.push({ has: (one) => one !== '/', kind: 'set' })
      index += 1
    } else if (byte === '[') {
      const set = setAt(pattern, index)
      if (!set) return undefined
      steps.push({ has: set.has, kind: 'set' })
      index = set.end
    } else {
      if (byte === '\\') index += 1
      if (index >= pattern.length) return undefined
      steps.push({ byte: pattern[index] ?? '', kind: 'byte' })
      index += 1
    }
  }
  return steps
}

function isEndOfPart(pattern: string, index: number): boolean {
  return index === pattern.length || pattern[index] === '/' || pattern.startsWith('\\/', index)
}

/** Bytes. Nobody writes a longer one, but who wants it to take long. */
const longest = 500

const classes: Readonly<Record<string, RegExp>> = {
  alnum: /[0-9A-Za-z]/,
  alpha: /[A-Za-z]/,
  blank: /[ \t]/,
  cntrl: /[^ -\x7e\x80-\xff]/,
  digit: /[0-9]/,
  graph: /[!-~]/,
  lower: /[a-z]/,
  print: /[ -~]/,
  punct: /[!-/:-@[-`{-~]/,
  space: /[ \t-\r]/,
  upper: /[A-Z]/,
  xdigit: /[0-9A-Fa-f]/,
}

/** The set that begins at `start`, by the rules of git's wildmatch. */
function setAt(pattern: string, start: number): { end: number; has: (byte: string) => boolean } | undefined {
  const members = new Set<string>()
  let index = start + 1
  const negative = pattern[index] === '!' || pattern[index] === '^'
  if (negative) index += 1
  let previous = ''
  for (let first = true; first || pattern[index] !== ']'; first = false) {
    const name = /^\[:([^\]]*?)(:?)\]/.exec(pattern.slice(index, index + 40))
    if (index >= pattern.length) return undefined
    if (name?.[2] === ':') {
      const known = classes[name[1] ?? '']
      if (!known) return undefined
      for (let code = 0; code < 256; code += 1) {
        const byte = String.fromCharCode(code)
        if (known.test(byte)) members.add(byte)
      }
      index += name[0].length
      previous = ''
      continue
    }
    const isRange = pattern[index] === '-' && previous !== '' && ![undefined, ']'].includes(pattern[index + 1])
    if (isRange) index += 1
    if (pattern[index] === '\\') index += 1
    const byte = pattern[index]
    if (byte === undefined) return undefined
    const from = isRange ? previous.charCodeAt(0) : byte.charCodeAt(0)
    for (let code = from; code <= byte.charCodeAt(0); code += 1) members.add(String.fromCharCode(code))
    previous = isRange ? '' : byte
    index += 1
  }
  return { end: index + 1, has: (byte) => byte !== '/' && members.has(byte) !== negative }
}

/** All steps that can be next are followed at once, so no text is gone through twice. */
function isMatch(steps: readonly Step[], text: string): boolean {
  let now = new Set<number>()
  reach(steps, now, 0)
  for (const byte of text) {
    const next = new Set<number>()
    for (const at of now) {
      const step = steps[at]
      if (step?.kind === 'byte' ? step.byte === byte : step?.kind === 'set' && step.has(byte))
        reach(steps, next, at + 1)
      else if (step?.kind === 'deep' || (step?.kind === 'star' && byte !== '/')) reach(steps, next, at)
    }
    if (next.size === 0) return false
    now = next
  }
  return now.has(steps.length)
}

/** Adds a step, and those that are reached from it by what may stand for nothing. */
function reach(steps: readonly Step[], into: Set<number>, at: number): void {
  if (into.has(at)) return
  into.add(at)
  const kind = steps[at]?.kind
  if (kind === 'star' || kind === 'deep' || kind === 'skip') reach(steps, into, at + 1)
  if (kind === 'skip') reach(steps, into, at + 3)
}
