// Owns what is said when an endpoint asks for more than its container's label can carry: which limit that is, and which line of
// moat.yaml is so large. Where the plugin has made much of little, that is for the plugin's own error to say.
import type { LoadedMoatYaml } from '../../config/moat-yaml.js'
import type { YamlPath } from '../../config/yaml-source.js'
import { limits } from '../../confinement/judge-routes.js'
import type { DeclaredEndpoint } from '../../endpoints/contract.js'
import { exitCodes, MoatError } from '../../errors.js'

/** CONFIG_INVALID for each that is too large. `registrations` are as a plugin returned them. */
export function limitErrors(
  { config, locate }: Pick<LoadedMoatYaml, 'config' | 'locate'>,
  declared: readonly DeclaredEndpoint[],
  registrations: unknown,
): MoatError[] {
  return (Array.isArray(registrations) ? registrations : []).flatMap((registration: unknown) => {
    const { endpoint, routes } = (registration ?? {}) as { endpoint?: unknown; routes?: unknown }
    const written = config.ports.find(({ name }) => name === endpoint)
    if (!written || !declared.some(({ name }) => name === endpoint)) return []
    const [asked, own] = [measure(routes), measure(written.options)]
    const over =
      asked.characters > limits.characters ? 'characters' : asked.values > limits.values ? 'values' : undefined
    // A row of a table becomes a handful of values.
    if (over === undefined || own[over] * 10 < limits[over]) return []
    const path: YamlPath = ['ports', written.name, ...largest(written.options)]
    const number = (value: number) => value.toLocaleString('en')
    return new MoatError(
      'CONFIG_INVALID',
      `${locate(path)}: the endpoint "${written.name}" is too large: its routes have ${number(asked[over])} ${over}, and the limit is ${number(limits[over])}. "${path.join('.')}" is the largest part.`,
      { exit: exitCodes.usage, suggestions: ['serve what is large from files, with the endpoint type static'] },
    )
  })
}

/** Of a value as JSON; nothing of what is none. */
function measure(value: unknown): { characters: number; values: number } {
  try {
    let values = 0
    const text = JSON.stringify(value, (_, inner) => {
      values += 1
      return inner
    })
    return { characters: text?.length ?? 0, values }
  } catch {
    return { characters: 0, values: 0 }
  }
}

/** The way to the part that has more than half of the whole, as far down as there is one. */
function largest(value: unknown): string[] {
  if (!(value instanceof Object) || Array.isArray(value)) return []
  const whole = measure(value).characters
  const found = Object.entries(value).find(([, part]) => measure(part).characters * 2 > whole)
  return found ? [found[0], ...largest(found[1])] : []
}
