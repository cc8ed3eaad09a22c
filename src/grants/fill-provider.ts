// Owns making a provider one that has no more open places: `{host}` and `{scope}` become what the user says. Pure.
import type { GrantProvider, ProviderRule } from './provider.js'

export interface Choices {
  /** In the place of the provider's own. */
  host?: { host: string; port: number }
  /** Scopes of packages: `@acme`. */
  scopes?: readonly string[]
}

/** True when the provider can be asked for another host than its own. */
export function hasOpenHost(provider: GrantProvider): boolean {
  return provider.host !== undefined
}

export function hasScopes({ container }: GrantProvider): boolean {
  return Object.values(container?.files ?? {}).some((text) => text.includes('{scope}'))
}

export function fillProvider(provider: GrantProvider, { host: chosen, scopes = [] }: Choices = {}): GrantProvider {
  const { allow, check, container, host: own, inject, ...rest } = provider
  const host = chosen?.host ?? own ?? ''
  const withPort = chosen && chosen.port !== 443 ? `${host}:${chosen.port}` : host
  const named = (text: string) => text.replaceAll('{host}', withPort)
  const values = (all: Readonly<Record<string, string>>, change: (text: string) => string) =>
    Object.fromEntries(Object.entries(all).map(([key, text]) => [named(key), change(text)]))
  const rule = ({ hosts, ...others }: ProviderRule): ProviderRule => ({
    ...others,
    hosts: hosts.map((one) => (one === '{host}' ? host : one)),
    ...(chosen && hosts.includes('{host}') && { ports: [chosen.port] }),
  })
  return {
    ...rest,
    // What stands beside the usual host is not beside another.
    ...(allow && chosen === undefined && { allow: allow.map((one) => (one === '{host}' ? host : one)) }),
    ...(check && { check: { ...check, url: named(check.url) } }),
    ...(container && {
      container: {
        ...(container.env && { env: values(container.env, named) }),
        ...(container.files && { files: values(container.files, (text) => named(withScopes(text, scopes))) }),
        ...(container.git && { git: values(container.git, named) }),
      },
    }),
    inject: inject.map(rule),
  }
}

/** A line that is about a scope, for each of them. */
function withScopes(text: string, scopes: readonly string[]): string {
  return text
    .split('\n')
    .flatMap((line) => (line.includes('{scope}') ? scopes.map((scope) => line.replaceAll('{scope}', scope)) : [line]))
    .join('\n')
}
