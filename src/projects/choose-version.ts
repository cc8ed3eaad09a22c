// Owns which version of a language a project is given: one that what its files say allows, and moat's own choice where it can
// be. Pure.
import intersects from 'semver/ranges/intersects.js'
import minVersion from 'semver/ranges/min-version.js'
import validRange from 'semver/ranges/valid.js'

/** What to try, most wanted first. The first is taken where nothing usable is said. */
const offered = {
  // Those with long support first; then what is newer, then what is older.
  node: ['22', '24', '26', '25', '23', '20', '21', '18', '19', '16', '17', '14', '15', '12', '10', '8', '6', '4'],
  python: ['3.12', '3.13', '3.14', '3.11', '3.10', '3.9', '3.8', '3.7', '3.6', '2.7'],
  ruby: ['3.4', '3.3', '3.2', '3.1', '3.0', '2.7'],
} as const

/** Names that nvm takes for versions of Node. */
const codeNames: Readonly<Record<string, string>> = {
  argon: '4',
  boron: '6',
  carbon: '8',
  dubnium: '10',
  erbium: '12',
  fermium: '14',
  gallium: '16',
  hydrogen: '18',
  iron: '20',
  jod: '22',
  krypton: '24',
}

export type Language = keyof typeof offered

/** The version for the first of `said` that is a version or range at all, each as its tool writes it. */
export function chooseVersion(language: Language, said: readonly (string | undefined)[]): string {
  for (const text of said) {
    const range = text === undefined ? null : validRange(toRange(text))
    if (range === null) continue
    const fits = offered[language].find((version) => intersects(range, `${version}.x`))
    if (fits !== undefined) return fits
    // Newer than any moat has heard of.
    const lowest = language === 'node' ? minVersion(range)?.major : undefined
    if (lowest !== undefined && lowest > 0) return String(lowest)
  }
  return offered[language][0]
}

/** What npm, nvm, pip, poetry and bundler write, as a range that semver reads. */
function toRange(text: string): string {
  const word = text.trim().toLowerCase()
  const codeName = codeNames[word.replace(/^lts\//, '')]
  if (codeName !== undefined) return codeName
  return word
    .split(',')
    .map((part) => part.trim())
    .filter((part) => !part.startsWith('!='))
    .map((part) => part.replace(/^(?:node|python|ruby)-/, '').replace(/^===?\s*/, ''))
    .map((part) => part.replace(/\.\*$/, '.x').replace(/^~[=>]\s*(\d+(?:\.\d+)*)$/, (_, version) => upTo(version)))
    .join(' ')
}

/** `~= 3.10` of Python, `~> 3.2` of Ruby: the last number that is given may grow. */
function upTo(version: string): string {
  const numbers = version.split('.').map(Number)
  const fixed = numbers.slice(0, Math.max(1, numbers.length - 1))
  const end = fixed.map((number, index) => (index === fixed.length - 1 ? number + 1 : number))
  const whole = (parts: number[]) => [...parts, 0, 0].slice(0, 3).join('.')
  return `>=${whole(numbers)} <${whole(end)}`
}

/** The version that .tool-versions, of asdf and mise, has for a tool. */
export function toolVersion(text: string | undefined, ...names: string[]): string | undefined {
  for (const line of (text ?? '').split(/\r?\n/)) {
    const [name = '', version] = line.replace(/#.*/, '').trim().split(/\s+/)
    if (names.includes(name)) return version
  }
  return undefined
}

/** The first line that says something, of a file such as .nvmrc. */
export function firstLine(text: string | undefined): string | undefined {
  return (text ?? '')
    .split(/\r?\n/)
    .map((line) => line.replace(/#.*/, '').trim())
    .find((line) => line !== '')
}
