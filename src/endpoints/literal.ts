// Owns text that Caddy must take as it stands.

/** `text` with its braces escaped: Caddy fills `{…}` in most strings, even from files and environment variables. */
export function literal(text: string): string {
  return text.replace(/[{}]/g, '\\$&')
}
