// Owns names of files as the bytes they are: text of one character a byte, so that a name that is no UTF-8 is kept and found. Pure.

/** What a system call takes for a name as it was read with `encoding: 'latin1'`. */
export function systemName(raw: string): Buffer | string {
  return isPlain(raw) ? raw : Buffer.from(raw, 'latin1')
}

/** A name as a person reads it. */
export function shownName(raw: string): string {
  return isPlain(raw) ? raw : Buffer.from(raw, 'latin1').toString('utf8')
}

/** The bytes of a text, in this form. */
export function rawName(text: string): string {
  return isPlain(text) ? text : Buffer.from(text, 'utf8').toString('latin1')
}

/** By code units, as bytes are. */
export function byBytes(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0
}

function isPlain(text: string): boolean {
  for (let index = 0; index < text.length; index += 1) if (text.charCodeAt(index) > 0x7f) return false
  return true
}
