// Owns the judgement: what becomes of a request under a policy, and by which rule. Pure.
import { canonicalHost, matchesHost } from './hosts.js'
import { matchesAnyReading, matchesPath, type ReadPath, readPath } from './paths.js'
import type { EgressRequest, NetworkPolicy, NetworkRule, PathRule, Verdict } from './policy.js'

export interface DecideOptions {
  /** True for hosts whose tunnels are opened for another reason than rules about paths: a grant. Hosts in their one form. */
  alsoIntercept?: (host: string, port: number) => boolean
}

/** Of a host without a port of its own. */
export const usualPorts: readonly number[] = [80, 443]
const method = /^[A-Z][A-Z0-9_-]*$/

/**
 * Judges a request, or, without method and path, a tunnel. The first rule about host and port decides; with rules about paths,
 * a tunnel is opened and what comes through it is judged by itself.
 */
export function decide(
  policy: Pick<NetworkPolicy, 'policy' | 'rules'>,
  request: EgressRequest,
  { alsoIntercept }: DecideOptions = {},
): Verdict {
  const host = canonicalHost(request.host)
  const isPort = Number.isInteger(request.port) && request.port >= 1 && request.port <= 65_535
  if (host === undefined || !isPort) return { allowed: false, intercept: false, reason: 'malformed host' }
  const rule = findRule(policy.rules, host, request.port)
  const intercept = rule?.paths !== undefined || alsoIntercept?.(host, request.port) === true
  if (!rule) return withoutRule(policy, intercept, 'no rule')
  const isTunnel = request.method === undefined && request.path === undefined
  if (!rule.paths || isTunnel) {
    const allowed = rule.effect === 'allow' || rule.paths !== undefined
    return { allowed, intercept: allowed && intercept, reason: 'rule', ...written(rule) }
  }
  const path = readPath(request.path ?? '/')
  if (!path || (request.method !== undefined && !method.test(request.method)))
    return { allowed: false, intercept: false, reason: 'malformed request' }
  const line = rule.paths.find((one) => matchesLine(one, request.method, path))
  if (!line) return { ...withoutRule(policy, intercept, 'no rule for this path'), ...written(rule) }
  const allowed = line.effect === 'allow'
  const place = line.place ?? rule.place
  return { allowed, intercept: allowed && intercept, reason: 'rule', rule: pathText(line), ...(place && { place }) }
}

/** The rule that decides about a host in its one form. */
export function findRule(rules: readonly NetworkRule[], host: string, port: number): NetworkRule | undefined {
  return rules.find((rule) => matchesPort(rule, port) && matchesHost(rule.host, host))
}

/** `deny POST /repos/**` */
export function pathText({ effect, method: which, path }: PathRule): string {
  return `${effect} ${which} ${path}`
}

/**
 * True when a rule allows this very address, not merely all that a pattern stands for: what has to be so for a private one to
 * be reached. `asked` is the host that led there. A rule about paths of the address lists it for who asks for the address itself:
 * under another name nobody would look at those paths.
 */
export function listsAddress(
  { rules }: Pick<NetworkPolicy, 'rules'>,
  address: string,
  port: number,
  asked: string,
): boolean {
  const host = canonicalHost(address)
  if (host === undefined) return false
  const rule = findRule(
    rules.filter((one) => one.effect === 'deny' || one.host === host),
    host,
    port,
  )
  return rule?.effect === 'allow' && (isWhole(rule) || canonicalHost(asked) === host)
}

/** A grant has lines where its rule had none. */
function isWhole({ paths }: NetworkRule): boolean {
  const [first] = paths ?? []
  return !paths || (first?.effect === 'allow' && first.method === '*' && first.path === '/**')
}

/** A denial without a port is of the host, at whatever port. */
export function matchesPort(
  { effect, paths, port }: Pick<NetworkRule, 'effect' | 'paths' | 'port'>,
  wanted: number,
): boolean {
  if (port !== undefined) return port === wanted
  return (effect === 'deny' && !paths) || usualPorts.includes(wanted)
}

/** Without a method, a denial of any is one of this. A denial holds for whatever a server may take the path for. */
function matchesLine(line: PathRule, asked: string | undefined, path: ReadPath): boolean {
  const matchesMethod = line.method === '*' || line.method === asked || (asked === undefined && line.effect === 'deny')
  if (!matchesMethod) return false
  return line.effect === 'deny' ? matchesAnyReading(line.path, path) : matchesPath(line.path, path.segments)
}

function withoutRule({ policy }: Pick<NetworkPolicy, 'policy'>, intercept: boolean, reason: string): Verdict {
  const allowed = policy === 'permissive'
  return { allowed, intercept: allowed && intercept, reason: allowed ? 'permissive' : reason }
}

function written({ place, text }: NetworkRule) {
  return { rule: text, ...(place && { place }) }
}
