// Owns what `moat grant providers` tells of one. Pure.
import { hasOpenHost } from './fill-provider.js'
import { grantedHosts } from './grant.js'
import type { OwnedProvider } from './providers.js'

export interface ProviderView {
  /** Where a value is looked for: variables and a command. */
  found: string[]
  /** Hosts that get it; `{host}` is replaced by the usual one. */
  hosts: string[]
  name: string
  /** True when --host names another. */
  openHost: boolean
  /** `moat`, a file, or a plugin. */
  origin: string
  title: string
  /** Where to make one. */
  url?: string
}

export function describeProvider({ origin, provider }: OwnedProvider): ProviderView {
  const { command, env = [], url } = provider.value ?? {}
  return {
    found: [...env, ...(command ? [command.join(' ')] : [])],
    hosts: grantedHosts(provider).map((host) => host.replace('{host}', provider.host ?? '')),
    name: provider.name,
    openHost: hasOpenHost(provider),
    origin,
    title: provider.title,
    ...(url !== undefined && { url }),
  }
}
