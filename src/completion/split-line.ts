// Owns reading the words of a bash command line that is still being typed. Pure.

export interface TypedLine {
  /** How much of the last word bash leaves as it is: it replaces only what follows the last break character. */
  kept: number
  /** Without quotes; the last is being typed, maybe empty. */
  words: string[]
}

/**
 * The words of `line`, which ends at the cursor. `breaks` is bash's COMP_WORDBREAKS: with `=` or `:` in it, bash takes
 * `--name=da` for several words, and replaces the last of them only. Nothing is expanded: `$HOME` stays as it is.
 */
export function splitLine(line: string, breaks = ''): TypedLine {
  const words: string[] = []
  let word: string | undefined
  let kept = 0
  let quote = ''
  for (let index = 0; index < line.length; index++) {
    const character = line[index] ?? ''
    if (quote === '' && /\s/.test(character)) {
      if (word !== undefined) words.push(word)
      word = undefined
      kept = 0
      continue
    }
    word ??= ''
    if (character === quote) quote = ''
    else if (quote === '' && (character === "'" || character === '"')) quote = character
    else if (character === '\\' && isEscape(quote, line[index + 1])) word += line[++index] ?? ''
    else {
      word += character
      if (quote === '' && '=:'.includes(character) && breaks.includes(character)) kept = word.length
    }
  }
  return { kept, words: [...words, word ?? ''] }
}

/** In double quotes a backslash stands for itself before most characters, in single quotes always. */
function isEscape(quote: string, next: string | undefined): boolean {
  if (quote === "'") return false
  return quote === '' || (next !== undefined && '"\\$`'.includes(next))
}
