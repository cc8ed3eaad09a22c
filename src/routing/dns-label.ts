// Owns what a valid agent or endpoint name is: one DNS label (RFC 1123), lower case.

export const maxLabelLength = 63

const pattern = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/

/** True when `name` is a lower-case DNS label of at most 63 characters. */
export function isDnsLabel(name: string): boolean {
  return name.length <= maxLabelLength && pattern.test(name)
}

/** The valid label nearest to `text`, or undefined when nothing usable is in it. */
export function suggestDnsLabel(text: string): string | undefined {
  if (isDnsLabel(text)) return text
  const label = text
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, maxLabelLength)
    .replace(/^-+|-+$/g, '')
  return isDnsLabel(label) ? label : undefined
}
