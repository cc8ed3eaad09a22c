// Owns what is quoted in a sentence of an agent's words: file names, branches, what git says of them. Pure.

/** Characters of a quotation. */
const longest = 300

/** On one line, so that it does not look like what moat itself goes on to say, and not longer than a sentence. */
export function agentText(text: string): string {
  const plain = text.trim().replace(/[\p{C}\p{Zl}\p{Zp}]+/gu, ' ')
  return plain.length > longest ? `${plain.slice(0, longest)}…` : plain
}

/** The first three of them. */
export function agentList(texts: readonly string[]): string {
  const rest = texts.length > 3 ? ` and ${texts.length - 3} more` : ''
  return `${texts.slice(0, 3).map(agentText).join(', ')}${rest}`
}
