// Owns what a path means: as it should be read, and as a careless server may read it, so that no way to write one gets past
// a denial. Pure.

export interface ReadPath {
  /** As it is meant: percent-encoding undone where that changes nothing, no empty segments, no `.` and `..`; `%2F` stays. */
  segments: string[]
  /** Otherwise: with all encodings undone, `\` and `%2F` for slashes, and nothing after a `;`. */
  loosely: string[]
}

/** Bytes; what servers take. */
const longestPath = 16_384
/** So that judging takes little time, whatever an agent asks for. */
const mostSegments = 256
const mostRounds = 8

/** Undefined for what is no path, and for one that hides dots, so that nobody can say where it leads. */
export function readPath(raw: string): ReadPath | undefined {
  const path = raw.replace(/\?.*$/s, '') || '/'
  if (path.length > longestPath || !path.startsWith('/') || !isClean(path)) return undefined
  const written = path.split('/').slice(1).map(decodeHarmless)
  const text = decodeAll(path)
  if (text === undefined) return undefined
  const loose = looseParts(text).slice(1)
  if (loose.length > mostSegments) return undefined
  if (loose.filter(isDots).length > written.filter(isDots).length) return undefined
  const segments = resolveDots(filled(written))
  const loosely = resolveDots(filled(loose))
  // Of `//` and `/;/`, `..` takes back one segment or another, as a server sees them.
  const others = [segments.flatMap(loosened), resolveDots(written).flatMap(loosened), filled(resolveDots(loose))]
  if (written.includes('..') && others.some((other) => other.join('/') !== loosely.join('/'))) return undefined
  return { loosely, segments }
}

/** True when the pattern of a rule matches the segments of a path. */
export function matchesPath(pattern: string, segments: readonly string[]): boolean {
  return matchesParts(patternParts(pattern).map(literal), segments)
}

/** The same for a path in either of its readings: what a denial goes by. */
export function matchesAnyReading(pattern: string, { loosely, segments }: ReadPath): boolean {
  const parts = patternParts(pattern)
  const strict = parts.map(literal)
  if (matchesParts(strict, segments) || matchesParts(strict, loosely)) return true
  const loose = parts.flatMap((part): Part[] =>
    isWild(part) ? [part] : loosened(encodeOthers(part)).map((text) => ({ text })),
  )
  return matchesParts(loose, loosely)
}

type Part = { text: string } | '*' | '**'

function patternParts(pattern: string): string[] {
  return filled(pattern.split('/'))
}

function isWild(part: string): part is '*' | '**' {
  return part === '*' || part === '**'
}

function literal(part: string): Part {
  return isWild(part) ? part : { text: decodeHarmless(encodeOthers(part)) }
}

/** A segment as segments that a careless server may see in it; none where it sees nothing. */
function loosened(segment: string): string[] {
  return filled(looseParts(decodeAll(segment) ?? segment))
}

function looseParts(decoded: string): string[] {
  return decoded.split(/[/\\]/).map((part) => part.replace(/;.*$/s, ''))
}

function filled(parts: readonly string[]): string[] {
  return parts.filter((part) => part !== '')
}

/** `**` stands for any number of segments. In time of the product of both lengths, whatever the pattern. */
function matchesParts(parts: readonly (Part | string)[], segments: readonly string[]): boolean {
  let reached = [true, ...segments.map(() => false)]
  for (const part of parts) {
    const next = reached.map(() => false)
    for (let index = 0; index <= segments.length; index++) {
      if (part === '**') next[index] = Boolean(reached[index] || next[index - 1])
      else next[index] = Boolean(reached[index - 1] && (part === '*' || textOf(part) === segments[index - 1]))
    }
    reached = next
  }
  return reached.at(-1) === true
}

function textOf(part: Part | string): string {
  return typeof part === 'string' ? part : part.text
}

/** Nothing that may not stand in a path, no broken encoding, no control character behind one. */
function isClean(path: string): boolean {
  // `#` begins what no client sends: whether a server goes on reading behind it, nobody can say.
  if (/[^\x21-\x7e]|[\\#]/.test(path) || /%(?![0-9A-Fa-f]{2})/.test(path) || /%(?:[01][0-9A-F]|7F)/i.test(path))
    return false
  try {
    decodeURIComponent(path)
    return true
  } catch {
    return false
  }
}

/** Undoes the encoding of what means the same without it: of printable ASCII but `/ \ % ? #`. */
function decodeHarmless(segment: string): string {
  return segment.replace(/%([0-9A-Fa-f]{2})/g, (whole, hex: string) => {
    const character = String.fromCharCode(Number.parseInt(hex, 16))
    return /[\x21-\x7e]/.test(character) && !/[/\\%?#]/.test(character) ? character : whole.toUpperCase()
  })
}

/** Undoes every encoding of ASCII, also of what was encoded more than once; undefined when that does not end. */
function decodeAll(path: string): string | undefined {
  let text = path
  for (let round = 0; round < mostRounds; round++) {
    const next = text.replace(/%([0-7][0-9A-Fa-f])/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
    if (/[\0-\x1f\x7f]/.test(next)) return undefined
    if (next === text) return text.replace(/%[0-9A-Fa-f]{2}/g, (encoded) => encoded.toUpperCase())
    text = next
  }
  return undefined
}

function encodeOthers(part: string): string {
  return part.replace(/[^\x21-\x7e]+/gu, (text) => encodeURIComponent(text))
}

function isDots(part: string): boolean {
  return part === '.' || part === '..'
}

function resolveDots(parts: readonly string[]): string[] {
  const resolved: string[] = []
  for (const part of parts) {
    if (part === '..') resolved.pop()
    else if (part !== '.') resolved.push(part)
  }
  return resolved
}
