// Owns how a person is told to trust the root certificate, once, when it is made.
import { displayPath } from '../config/paths.js'
import { shellQuote } from '../config/shell-quote.js'
import { defaultDomain } from '../routing/urls.js'

/** Lines to print. */
export function trustHint(certificatePath: string, domain: string): string[] {
  const names = domain === defaultDomain ? domain : `${defaultDomain} and ${domain}`
  return [
    '',
    `A certificate authority for ${names} was made on this machine. To have browsers and tools trust it:`,
    '  moat proxy trust',
    `Without that: curl --cacert ${quoted(displayPath(certificatePath))} <url>`,
    '',
  ]
}

/** A path for a shell. `~` must stand outside the quotes, or it means nothing. */
function quoted(path: string): string {
  return path.startsWith('~/') ? `~/${shellQuote(path.slice(2))}` : shellQuote(path)
}
