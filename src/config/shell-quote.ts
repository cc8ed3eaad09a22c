// Owns quoting a word for the commands that error messages suggest.

/** `word` as a POSIX shell must be given it; plain words stay plain. */
export function shellQuote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`
}
