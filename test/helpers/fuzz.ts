// How much is tried by tests that make up their input: the same cases each time, or, in the long form, others each time and more.
const longForm = Number(process.env.MOAT_SOAK ?? 0)

/** Milliseconds. */
const shortForm = 100_000

/** True for the long form, which `./scripts/test --soak` asks for. */
export const long = longForm > 0

/** How often something is done that costs seconds. */
export const rounds = (short: number): number => (long ? short * 10 : short)

/** For `fc.assert`. A failure names the seed and the path that bring it back. */
export function fuzzing(cases = 10_000): { interruptAfterTimeLimit?: number; numRuns: number; seed?: number } {
  if (long) return { numRuns: cases * 10 }
  // A machine that is very slow does what it can in that time.
  return { interruptAfterTimeLimit: shortForm, numRuns: cases, seed: 20_261_128 }
}

/** For a test that does: however slow the machine is. */
export const patience = { timeout: longForm > 0 ? 3_600_000 : 240_000 }

/** Texts that have gone wrong somewhere: empty, long, in other alphabets, and with what is special to YAML, URLs, shells and Caddy. */
export const oddTexts = [
  '',
  ' ',
  '-',
  '.',
  '..',
  '*',
  'a'.repeat(300),
  'xn--a',
  'xn--bcher-kva',
  'bücher',
  'ﬀ',
  'İ',
  '\u212A',
  'a\u0000b',
  'a\nb',
  '\u202Eabc',
  '\uD800',
  '%2e%2e%2f',
  '{env.HOME}',
  '{http.request.host}',
  '../../etc/passwd',
  '$(id)',
  '<script>',
  '__proto__',
  'constructor',
  '1e999',
  '0x10',
  '08',
  '[::1]',
  '127.0.0.1',
  'localhost',
]

/** True for text that a person can read and a terminal does nothing with: no escape sequences, and no stack of calls. */
export function isReadable(text: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
  return !/[\x00-\x09\x0b-\x1f\x7f]/.test(text) && !/^\s+at .+:\d+:\d+\)?$/m.test(text)
}
