// Owns names of files as the bytes they are: text of one character a byte, so that a name that is no UTF-8 is kept and found. Pure.
import { isUtf8 } from 'node:buffer'

/** What a system call takes for a name as it was read with `encoding: 'latin1'`. */
export function systemName(raw: string): Buffer | string {
  return isPlain(raw) ? raw : Buffer.from(raw, 'latin1')
}

/** A name as a person reads it. */
export function shownName(raw: string): string {
  return isPlain(raw) ? raw : Buffer.from(raw, 'latin1').toString('utf8')
}

/**
 * A name as text that no other name has: a byte that belongs to no character is half a surrogate pair, which no UTF-8 is read as. JSON
 * keeps it.
 */
export function textName(raw: string): string {
  if (isPlain(raw)) return raw
  const bytes = Buffer.from(raw, 'latin1')
  let text = ''
  for (let at = 0; at < bytes.length; ) {
    const length = [1, 2, 3, 4].find((size) => isUtf8(bytes.subarray(at, at + size))) ?? 0
    text += length > 0 ? bytes.toString('utf8', at, at + length) : String.fromCharCode(0xdc00 + (bytes[at] ?? 0))
    at += Math.max(length, 1)
  }
  return text
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
