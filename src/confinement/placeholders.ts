// Owns which of Caddy's placeholders may stand in what endpoint types and labels hand to Caddy. Pure.

const header = String.raw`header\.(?!x-moat-)[\w-]+`
const path = String.raw`path(\.\d+|\.file(\.base|\.ext)?|\.dir)?`
const query = String.raw`query(\.[\w[\]-]+)?`

/** By name. What reads the environment, files or this machine is not among them, nor are moat's own variables. */
const allowed = [
  // The address of one of the container's own ports.
  String.raw`moat\.dial\.\d{1,5}`,
  // What a `map` or `vars` of the endpoint's own routes has set.
  String.raw`(http\.vars\.)?x_\w+`,
  String.raw`http\.vars\.client_ip`,
  String.raw`http\.request\.(${header}|cookie\.[\w-]+|host\.labels\.\d+|${query}|tls\.(version|cipher_suite|resumed|proto|server_name))`,
  String.raw`http\.request\.(method|scheme|proto|host|hostport|port|uuid|duration(_ms)?|remote(\.(host|port))?)`,
  String.raw`http\.request\.uri(_escaped|\.${path}|\.path_escaped|\.${query}|\.query_escaped|\.prefixed_query)?`,
  String.raw`http\.request\.orig_(method|uri(\.${path}|\.query|\.prefixed_query)?)`,
  String.raw`http\.response\.${header}`,
  String.raw`http\.(reverse_proxy|intercept)\.(status_code|status_text|${header})`,
  String.raw`http\.regexp(\.\w+)+`,
  String.raw`http\.error(\.(status_code|status_text|message|id))?`,
  String.raw`http\.auth\.user\.\w+`,
  String.raw`time\.now(\.(http|common_log|year|unix|unix_ms))?`,
]
const allowedName = new RegExp(`^(${allowed.join('|')})$`, 'i')
/** In a regular expression braces also count, `a{2,3}`. What Caddy could fill in has a dot in its name. */
const harmlessInPattern = /^[\w,^-]*$/
/** What a `map` sets is worked out whenever it is asked for, so one that asks for itself never comes to an end. */
const ofMap = /^x_/i

/** Where a text stands decides what more, or less, it may name. */
export type TextPlace = 'map' | 'pattern' | 'text'

/**
 * What is wrong with the placeholders of a text, undefined when nothing is. Caddy takes a brace with a backslash before it
 * literally, and every other opening brace for the start of a placeholder if a closing one follows anywhere: so each of
 * them must be the start of one that is allowed, whole, with no brace and no backslash in it.
 */
export function placeholderProblem(text: string, place: TextPlace = 'text'): string | undefined {
  for (let start = text.indexOf('{'); start !== -1; start = text.indexOf('{', start + 1)) {
    if (text[start - 1] === '\\') continue
    const name = /^\{([^{}\\]*)\}/.exec(text.slice(start, start + 200))?.[1]
    if (name === undefined)
      return 'has a brace that is not part of a placeholder; text to be taken literally goes through `literal`'
    if (place === 'pattern' && harmlessInPattern.test(name)) continue
    if (!allowedName.test(name)) return `names the placeholder {${name}}, which routes may not`
    if (place === 'map' && ofMap.test(name)) return `names {${name}}, which is what a map sets, inside a map`
  }
  return undefined
}
