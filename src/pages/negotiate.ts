// Owns who gets HTML and who gets JSON.

/** True for a client that asks for HTML by name and does not like JSON better: a browser. All others get JSON. */
export function wantsHtml(accept: string | undefined): boolean {
  const html = qualityOf(accept ?? '', 'text/html')
  return html > 0 && html >= qualityOf(accept ?? '', 'application/json')
}

function qualityOf(accept: string, type: string): number {
  for (const part of accept.toLowerCase().split(',')) {
    const [name, ...parameters] = part.split(';').map((text) => text.trim())
    if (name !== type) continue
    const quality = parameters.find((parameter) => parameter.startsWith('q='))
    return quality === undefined ? 1 : Number(quality.slice(2)) || 0
  }
  return 0
}
