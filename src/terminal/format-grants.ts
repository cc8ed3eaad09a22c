// Owns what a person reads of grants and providers. Nothing of a value is in what it is given.
import type { ProviderView } from '../grants/describe-provider.js'
import type { GrantDetails, GrantView } from '../grants/grant.js'
import { formatGrant } from '../grants/injection.js'
import type { MadeGrant } from '../grants/make-grant.js'
import { formatAge } from '../routing/format-age.js'
import { formatTable } from './table.js'
import { visible } from './visible.js'

export function formatGrants(grants: readonly GrantView[], now: number = Date.now()): string {
  const rows = grants.map((grant) => [
    formatGrant(grant),
    grant.provider,
    visible(grant.source),
    formatAge(grant.createdAt, now),
    grant.hosts.map(visible),
  ])
  return formatTable([['NAME', 'PROVIDER', 'VALUE', 'AGE', 'HOSTS'], ...rows])
}

export function formatGrantDetails({
  container,
  createdAt,
  hosts,
  name,
  profile,
  provider,
  rules,
  source,
}: GrantDetails): string[] {
  const lines = [
    ['Name', name],
    ['Profile', profile],
    ['Provider', provider],
    ['Value', source],
    ['Granted', createdAt],
    ['Hosts', hosts.join(', ') || 'none: the value goes into the container'],
    ...rules.map((rule) => ['Sets', rule]),
    ...container.map((variable) => ['Placeholder', variable]),
  ]
  return lines.map(([title = '', text = '']) => `${`${title}:`.padEnd(13)}${visible(text)}`)
}

export function formatProviders(providers: readonly ProviderView[]): string {
  const rows = providers.map(({ found, hosts, name, origin, title }) => [
    name,
    visible(title),
    visible(origin),
    hosts.map(visible),
    found.map(visible),
  ])
  return formatTable([['NAME', 'TITLE', 'FROM', 'HOSTS', 'VALUE'], ...rows])
}

export function describeMade(made: MadeGrant): string[] {
  const name = formatGrant(made)
  const who = made.who === undefined ? '' : ` (${visible(made.who)})`
  const checked = made.checked ? ` The service takes it${who}.` : ''
  return [
    `${name} is ${made.replaced ? 'granted again' : 'granted'}.${checked}`,
    ...(made.hosts.length > 0
      ? [`Its value goes to ${made.hosts.map(visible).join(', ')}, and nowhere else.`]
      : ['Its value goes into the containers of agents that have it.']),
    `An agent has it by grants: [${name}] in moat.yaml, or by moat run --grant ${name}.`,
  ]
}
