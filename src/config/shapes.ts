// Owns reading small values of a known shape where commands have no time for zod, which takes longer to load than they do: what
// labels hold, and the Docker CLI's files. As with zod, what is not named is left out of what is read.

/** What is wrong, and where. */
export class MisshapenError extends Error {
  override readonly name = 'MisshapenError'
  readonly path: (number | string)[] = []
}

/** Gives what it has read. Throws MisshapenError. */
export type Shape<T> = (value: unknown) => T

type Fields = Readonly<Record<string, Shape<unknown>>>
type Read<F extends Fields> = { [K in keyof F]: ReturnType<F[K]> }

/** Fields of an object: those that it must have, and those that it may have, which then are not undefined. */
export function object<R extends Fields, O extends Fields>(required: R, optional: O): Shape<Read<R> & Partial<Read<O>>>
export function object<R extends Fields>(required: R): Shape<Read<R>>
export function object(required: Fields, optional: Fields = {}): Shape<Record<string, unknown>> {
  return (value) => {
    const given = record(value)
    const read: Record<string, unknown> = {}
    for (const [name, shape] of Object.entries(required)) read[name] = within(name, shape, given[name])
    for (const [name, shape] of Object.entries(optional))
      if (Object.hasOwn(given, name)) read[name] = within(name, shape, given[name])
    return read
  }
}

export function array<T>(shape: Shape<T>, { min = 0 } = {}): Shape<T[]> {
  return (value) => {
    if (!Array.isArray(value)) throw unexpected('array', value)
    if (value.length < min) throw new MisshapenError(`Too small: expected array to have >=${min} items`)
    return value.map((one, index) => within(index, shape, one))
  }
}

/** An object of which only the values are known. */
export function recordOf<T>(shape: Shape<T>): Shape<Record<string, T>> {
  return (value) =>
    Object.fromEntries(Object.entries(record(value)).map(([name, one]) => [name, within(name, shape, one)]))
}

export const text: Shape<string> = (value) => {
  if (typeof value !== 'string') throw unexpected('string', value)
  return value
}

/** A text that `fits`; `otherwise` says what one is that does not. */
export function textThat(fits: (value: string) => boolean, otherwise: string): Shape<string> {
  return (value) => {
    const read = text(value)
    if (!fits(read)) throw new MisshapenError(otherwise)
    return read
  }
}

export const truth: Shape<boolean> = (value) => {
  if (typeof value !== 'boolean') throw unexpected('boolean', value)
  return value
}

export function integer(min: number, max: number): Shape<number> {
  return (value) => {
    if (typeof value !== 'number' || Number.isNaN(value)) throw unexpected('number', value)
    if (!Number.isSafeInteger(value)) throw unexpected('int', value)
    if (value < min) throw new MisshapenError(`Too small: expected number to be >=${min}`)
    if (value > max) throw new MisshapenError(`Too big: expected number to be <=${max}`)
    return value
  }
}

export function oneOf<const T extends readonly string[]>(...words: T): Shape<T[number]> {
  return (value) => {
    if (!words.includes(value as string))
      throw new MisshapenError(`Invalid input: expected ${words.map((word) => JSON.stringify(word)).join(' or ')}`)
    return value as T[number]
  }
}

/** An object of one of several shapes; which, says its field `kind`. */
export function byKind<T extends Readonly<Record<string, Shape<object>>>>(shapes: T): Shape<ReturnType<T[keyof T]>> {
  return (value) => {
    const { kind } = record(value)
    const shape = typeof kind === 'string' && Object.hasOwn(shapes, kind) ? shapes[kind] : undefined
    if (!shape) return within('kind', oneOf(...Object.keys(shapes)) as Shape<never>, kind)
    return shape(value) as ReturnType<T[keyof T]>
  }
}

export function record(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw unexpected('object', value)
  return value as Record<string, unknown>
}

function within<T>(key: number | string, shape: Shape<T>, value: unknown): T {
  try {
    return shape(value)
  } catch (error) {
    if (error instanceof MisshapenError) error.path.unshift(key)
    throw error
  }
}

function unexpected(expected: string, value: unknown): MisshapenError {
  const received = value === null ? 'null' : Array.isArray(value) ? 'array' : Number.isNaN(value) ? 'NaN' : typeof value
  return new MisshapenError(`Invalid input: expected ${expected}, received ${received}`)
}
