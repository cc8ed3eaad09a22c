// Owns the provider that a user describes with flags alone.
import { isEnvName } from '../config/env-flag.js'
import { shellQuote } from '../config/shell-quote.js'
import { exitCodes, MoatError } from '../errors.js'
import type { GrantProvider } from './provider.js'

export interface GenericFlags {
  basic?: string | undefined
  /** `X-Api-Key`, or `Authorization: Bearer {token}`. */
  header?: string | undefined
  hosts: readonly { host: string; port: number }[]
  query?: string | undefined
  /** Variables of the container that get a placeholder. */
  variables: readonly string[]
}

/** Throws USAGE; no more is said of what was given than its flag, for it may be the secret itself. */
export async function genericProvider(name: string, flags: GenericFlags): Promise<GrantProvider> {
  const { basic, header, hosts, query, variables } = flags
  const ways = [basic, header, query].filter((way) => way !== undefined)
  if (ways.length !== 1) {
    throw usage(
      `${name} is not a provider that moat knows, so say with one of --header, --query and --basic how its value is sent.`,
      name,
    )
  }
  const wrong = variables.find((variable) => !isEnvName(variable))
  if (wrong !== undefined) throw usage('--variable takes the name of a variable.', name)
  const { isHeaderName } = await import('./provider-schema.js')
  const [, headerName, value = '{token}'] = /^([^:]*)(?::\s*(.*))?$/s.exec(header ?? '') ?? []
  if (header !== undefined && (!isHeaderName(headerName) || !/^[\x20-\x7e]*\{token\}[\x20-\x7e]*$/.test(value))) {
    throw usage(
      '--header takes the name of a header, or "Name: text with {token}". The value itself never stands there.',
      name,
    )
  }
  if (query !== undefined && !/^[\w.-]+$/.test(query)) throw usage('--query takes the name of a query parameter.', name)
  if (basic !== undefined && !/^[\x21-\x39\x3b-\x7e]+$/.test(basic)) throw usage('--basic takes a username.', name)
  const put = {
    ...(basic !== undefined && { basic }),
    ...(header !== undefined && { headers: { [headerName ?? '']: value } }),
    ...(query !== undefined && { query: { [query]: '{token}' } }),
  }
  return {
    ...(variables.length > 0 && {
      container: { env: Object.fromEntries(variables.map((variable) => [variable, '{placeholder:32}'])) },
    }),
    inject: hosts.map(({ host, port }) => ({ ...put, hosts: [host], ports: [port] })),
    name: 'generic',
    title: name,
  }
}

/** `api.example.com` or `api.example.com:8443`. Throws USAGE. */
export async function parseHostFlag(text: string): Promise<{ host: string; port: number }> {
  const { isGrantHost } = await import('./provider-schema.js')
  const [, given = '', port = '443'] = /^([^:]*)(?::(\d{1,5}))?$/.exec(text) ?? []
  const host = given.toLowerCase()
  if (isGrantHost(host) && Number(port) >= 1 && Number(port) <= 65_535) return { host, port: Number(port) }
  throw new MoatError(
    'USAGE',
    `--host takes a host such as api.example.com or api.example.com:8443, not ${JSON.stringify(text)}.`,
    {
      exit: exitCodes.usage,
      suggestions: ['moat grant my-api --host api.example.com --header X-Api-Key'],
    },
  )
}

function usage(message: string, name: string): MoatError {
  const command = `moat grant ${shellQuote(name)} --host api.example.com`
  return new MoatError('USAGE', message, {
    exit: exitCodes.usage,
    suggestions: [
      `${command} --header X-Api-Key`,
      `${command} --header 'Authorization: Bearer {token}'`,
      'moat grant providers',
    ],
  })
}
