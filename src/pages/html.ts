// Owns text that becomes HTML: everything is escaped unless it is HTML already.

/** HTML that may stand in a page as it is. */
export class Html {
  constructor(readonly text: string) {}
}

type Value = Html | number | string | undefined | readonly Html[]

/** HTML from a template, its values escaped. Lists are joined, `undefined` is nothing. */
export function html(parts: TemplateStringsArray, ...values: readonly Value[]): Html {
  return new Html(parts.map((part, index) => part + textOf(values[index])).join(''))
}

function textOf(value: Value): string {
  if (value === undefined) return ''
  if (value instanceof Html) return value.text
  if (Array.isArray(value)) return (value as readonly Html[]).map(({ text }) => text).join('')
  return escapeText(String(value))
}

const entities: Record<string, string> = { '"': '&quot;', '&': '&amp;', "'": '&#39;', '<': '&lt;', '>': '&gt;' }

function escapeText(text: string): string {
  return text.replace(/["&'<>]/g, (character) => entities[character] ?? character)
}

/** A URL for a link: only one of the web, for what others do is up to the programs of this machine. Plugins make some. */
export function safeUrl(url: string, base: string): string | undefined {
  if (!URL.canParse(url, base)) return undefined
  const parsed = new URL(url, base)
  return ['http:', 'https:'].includes(parsed.protocol) ? parsed.href : undefined
}

/** Text in which what stands between backquotes is code. */
export function withCode(text: string): Html[] {
  return text.split('`').map((part, index) => (index % 2 === 0 ? html`${part}` : html`<code>${part}</code>`))
}
