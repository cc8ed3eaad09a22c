// Owns what a domain is that agents can have their hosts below, and what is said of a text that is none.
import { isDnsLabel, maxLabelLength } from './dns-label.js'
import { defaultDomain } from './urls.js'

/** DNS allows 253; Caddy makes a file `issue_cert_<host>.lock`, and file names end at 255. */
const longestHost = 239
/** So that the longest names of an agent and an endpoint fit before it. */
export const longestDomain = longestHost - 2 * (maxLabelLength + 1)

/**
 * One label may stand alone where it is reserved for no real host: a root that may sign for all of `com`, or for all of
 * `internal`, which companies and clouds have hosts in, is a danger once its key leaks.
 */
const reservedLabels = [defaultDomain, 'test']

/** What is wrong with a domain, to be said after the name of the setting; undefined when nothing is. */
export function domainProblem(text: string): string | undefined {
  const quoted = JSON.stringify(text)
  const labels = text.split('.')
  if (!labels.every(isDnsLabel)) {
    const rule = 'DNS labels (lowercase letters, digits and hyphens, at most 63 characters) with dots between them'
    return `must be ${rule}, not ${quoted}${hint(text)}`
  }
  if (text.length > longestDomain)
    return `must have at most ${longestDomain} characters, so that agents' names fit before it; it has ${text.length}`
  if (!isHostOfUrls(text)) return `must be a domain that browsers take; ${quoted} is none`
  if (labels.length > 1 || reservedLabels.includes(text)) return undefined
  return `must have two labels or more, such as "moat.test", not ${quoted}: moat's authority must not be able to sign for all of it; only ${reservedLabels.map((label) => `"${label}"`).join(' and ')} may stand alone`
}

/** Browsers take a name with a number at its end for an address, and know which `xn--` labels stand for something. */
function isHostOfUrls(text: string): boolean {
  const url = `https://agent.${text}/`
  return URL.canParse(url) && new URL(url).hostname === `agent.${text}`
}

function hint(text: string): string {
  const better = text.toLowerCase().replace(/^[*.]+|\.+$/g, '')
  return better !== text && domainProblem(better) === undefined ? `; did you mean ${JSON.stringify(better)}?` : ''
}
