// Owns showing text that others wrote: nothing in it may move the cursor, turn the direction of writing or hide.
import { stripVTControlCharacters } from 'node:util'

/** `text` on one line, with each control, format and other character that is not seen written as an escape. */
export function visible(text: string): string {
  return text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`)
}

/** Text of several lines: colours go, lines and tabs stay, the rest is written as `visible` does. */
export function visibleLines(text: string): string {
  return stripVTControlCharacters(text).replace(/[^\n\t]+/g, visible)
}
