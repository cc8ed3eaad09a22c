// Owns plain tables: columns padded to their widest cell, two spaces apart; and text that fits a width.

/** A cell may have several lines. */
export type Cell = string | readonly string[]

/** Rows as lines. The last column is not padded, so no line ends in spaces. */
export function formatTable(rows: readonly (readonly Cell[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(0, ...rows.flatMap((row) => linesOf(row[column]).map(({ length }) => length))),
  )
  return rows.flatMap((row) => rowLines(row, widths)).join('\n')
}

function rowLines(row: readonly Cell[], widths: readonly number[]): string[] {
  const height = Math.max(1, ...row.map((cell) => linesOf(cell).length))
  return Array.from({ length: height }, (_, line) =>
    row
      .map((cell, column) => (linesOf(cell)[line] ?? '').padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  )
}

function linesOf(cell: Cell | undefined): readonly string[] {
  return typeof cell === 'string' ? [cell] : (cell ?? [])
}

/** How wide the widest line is. */
export function widthOf(text: string): number {
  return Math.max(...text.split('\n').map(({ length }) => length))
}

/** How wide the terminal on stdout is; undefined where there is none, or it does not say. */
export function terminalColumns(stream: { columns?: number; isTTY?: boolean } = process.stdout): number | undefined {
  return stream.isTTY && stream.columns ? stream.columns : undefined
}

/** The words on lines no longer than `width`, but for a word that is longer itself. `separator` is what they are joined by. */
export function wrapWords(words: readonly string[], width: number, separator = ' '): string[] {
  const lines: string[] = []
  for (const [index, word] of words.entries()) {
    const text = index < words.length - 1 ? word + separator : word
    const last = lines.at(-1)
    if (last !== undefined && (last + text).trimEnd().length <= width) lines[lines.length - 1] = last + text
    else lines.push(text)
  }
  return lines.map((line) => line.trimEnd())
}
