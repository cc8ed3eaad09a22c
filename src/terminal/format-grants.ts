// Owns what a person reads of grants and providers. Nothing of a value is in what it is given.

import { visible } from '../config/visible.js'
import type { ProviderView } from '../grants/describe-provider.js'
import type { GrantDetails, GrantView } from '../grants/grant.js'
import { formatGrant } from '../grants/injection.js'
import type { MadeGrant } from '../grants/make-grant.js'
import { formatAge } from '../routing/format-age.js'
import { formatTable } from './table.js'

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
  const isSsh = provider === 'ssh'
  const lines = [
    ['Name', name],
    ['Profile', profile],
    ['Provider', provider],
    [isSsh ? 'Keys' : 'Value', source],
    ['Granted', createdAt],
    ['Hosts', hosts.join(', ') || 'none: the value goes into the container'],
    ...rules.map((rule) => [isSsh ? 'Allows' : 'Sets', rule]),
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
    placeOf(made),
    `An agent has it by grants: [${name}] in moat.yaml, or by moat run --grant ${name}.`,
  ]
}

function placeOf({ hosts, provider, source }: MadeGrant): string {
  const places = hosts.map(visible).join(', ')
  if (provider === 'ssh')
    return `Agents that have it may log in at ${places} with ${visible(source)}. They never see the key.`
  if (places === '') return 'Its value goes into the containers of agents that have it.'
  return `Its value goes to ${places}, and nowhere else.`
}
