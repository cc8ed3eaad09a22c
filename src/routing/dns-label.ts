// Owns what a valid agent or endpoint name is: one DNS label (RFC 1123), lower case, that URLs may have in them.

export const maxLabelLength = 63

const pattern = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/

/** What begins like this stands for a text in other characters, and browsers refuse a URL where it stands for none. */
const encoded = 'xn--'

/** True when `name` is a lower-case DNS label of at most 63 characters. */
export function isDnsLabel(name: string): boolean {
  if (name.length > maxLabelLength || !pattern.test(name)) return false
  // Node decodes labels only where a host has other characters, too.
  return !name.startsWith(encoded) || URL.canParse(`http://\u00e9.${name}/`)
}

/** What a person may not see is wrong with a name; undefined where the rule for names says it. */
export function encodingProblem(name: string): string | undefined {
  if (!name.startsWith(encoded) || !pattern.test(name) || name.length > maxLabelLength || isDnsLabel(name))
    return undefined
  return `begins with "${encoded}", which stands for other characters in URLs, and does not decode to any`
}

/** The valid label nearest to `text`, or undefined when nothing usable is in it. */
export function suggestDnsLabel(text: string): string | undefined {
  if (isDnsLabel(text)) return text
  const label = text
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-*(xn--*)+/, '')
    .slice(0, maxLabelLength)
    .replace(/^-+|-+$/g, '')
  return isDnsLabel(label) ? label : undefined
}
