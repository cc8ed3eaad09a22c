// Owns for which hosts elsewhere Caddy makes certificates, and by which authority. Pure.
import { openedHosts } from '../egress/opened-hosts.js'
import { agentHostPatterns, defaultDomain } from '../routing/urls.js'
import { type EgressSettings, egressAuthorityName } from './egress-settings.js'

/** Names have no more labels than this; beyond, nothing is signed. */
const mostLabels = 12

/** All hosts that are opened for some agent. */
export function allOpenedHosts(settings: EgressSettings | undefined): string[] {
  return [...new Set((settings?.agents ?? []).flatMap(openedHosts))].toSorted()
}

/** Before the policy of all other names: moat's own are its own authority's, whatever an agent has opened. */
export function egressPolicies(settings: EgressSettings | undefined, own: object, domain: string): object[] {
  const hosts = allOpenedHosts(settings)
  if (!settings || hosts.length === 0) return []
  // One subject has one policy.
  const ownSubjects = [...new Set([defaultDomain, domain, ...agentHostPatterns(domain)])]
  const subjects = [...new Set(hosts.flatMap(subjectsOf))].filter((subject) => !ownSubjects.includes(subject))
  // Without any it would be the policy of all names.
  if (subjects.length === 0) return []
  return [
    { ...own, subjects: ownSubjects },
    {
      issuers: [{ ca: egressAuthorityName, lifetime: '720h', module: 'internal' }],
      key_type: 'p256',
      on_demand: true,
      storage: { module: 'file_system', root: settings.storage },
      subjects,
    },
  ]
}

export function egressAuthority(settings: EgressSettings | undefined): Record<string, object> {
  if (!settings) return {}
  const root = { certificate: settings.certificate, format: 'pem_file', private_key: settings.key }
  // It signs for hosts itself: an authority between would have to be checked in every handshake, by every client.
  return { [egressAuthorityName]: { install_trust: false, intermediate: root, root } }
}

/** A star stands for one label. */
function subjectsOf(host: string): string[] {
  if (!host.startsWith('*')) return [host]
  const below = host.slice(1)
  const depth = mostLabels - below.split('.').length + 1
  return Array.from(
    { length: depth },
    (_, index) =>
      `${Array(index + 1)
        .fill('*')
        .join('.')}${below}`,
  )
}
