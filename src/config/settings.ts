// Owns ~/.moat/config.yaml and, with flag and environment, which domain and port the proxy is asked for.
import { exitCodes, MoatError } from '../errors.js'
import { defaultDomain, type ProxyAddress } from '../routing/urls.js'
import { displayName } from './problems.js'
import { readConfigText } from './read-config.js'
import type { Settings } from './settings-file.js'

export type { Settings } from './settings-file.js'

export const defaultProxyPort = 8080

/** Where the proxy is asked to be. */
export interface WantedAddress extends ProxyAddress {
  /** True unless nobody asked for the port: an explicit one must be the running proxy's. */
  explicit: boolean
  /** Where the port comes from. The domain is always that of config.yaml. */
  source: 'config' | 'default' | 'env' | 'flag'
}

/** What nobody has asked otherwise for. */
export const defaultAddress: WantedAddress = {
  domain: defaultDomain,
  explicit: false,
  port: defaultProxyPort,
  source: 'default',
}

export interface WantedAddressSources {
  /** Path of config.yaml; it need not exist. */
  configFile: string
  env?: NodeJS.ProcessEnv
  /** `--port`. */
  flag?: number | undefined
}

/** Reads config.yaml; an absent or empty one sets nothing. Throws CONFIG_INVALID. */
export async function loadSettings(file: string, cwd: string = process.cwd()): Promise<Settings> {
  const displayFile = displayName(file, cwd)
  const text = await readConfigText(file, displayFile)
  if (text === undefined) return { approvals: {}, caddy: {}, never: {}, network: {}, proxy: {}, snapshots: {} }
  // zod takes 50 ms to load, and most users have no such file.
  const { parseSettings } = await import('./settings-file.js')
  return parseSettings(displayFile, text)
}

/**
 * The port: `--port`, else `MOAT_PROXY_PORT`, else `proxy.port` of config.yaml, else 8080. Flag and variable may be 0: any
 * free port. The domain: `proxy.domain` of config.yaml, else `localhost`. Throws INVALID_PORT; CONFIG_INVALID also when the
 * file is not what decides, so that a broken one is not missed.
 */
export async function resolveProxyAddress({
  configFile,
  env = process.env,
  flag,
}: WantedAddressSources): Promise<WantedAddress> {
  const { proxy } = await loadSettings(configFile)
  const domain = proxy.domain ?? defaultDomain
  if (flag !== undefined) {
    if (!isPort(flag)) throw invalidPort('--port', String(flag), ['moat proxy start --port 8080'])
    return { domain, explicit: true, port: flag, source: 'flag' }
  }
  const variable = env.MOAT_PROXY_PORT
  if (variable) {
    const port = /^\d{1,5}$/.test(variable) ? Number(variable) : Number.NaN
    if (!isPort(port)) {
      throw invalidPort('MOAT_PROXY_PORT', variable, ['unset MOAT_PROXY_PORT', 'export MOAT_PROXY_PORT=8080'])
    }
    return { domain, explicit: true, port, source: 'env' }
  }
  if (proxy.port !== undefined) return { domain, explicit: true, port: proxy.port, source: 'config' }
  return { ...defaultAddress, domain }
}

/** `MOAT_CADDY_MIRROR`, else `caddy.mirror` of config.yaml; undefined for the official download service. */
export async function resolveCaddyMirror({
  configFile,
  env = process.env,
}: Omit<WantedAddressSources, 'flag'>): Promise<string | undefined> {
  const { caddy } = await loadSettings(configFile)
  return env.MOAT_CADDY_MIRROR || caddy.mirror
}

function isPort(port: number): boolean {
  return Number.isInteger(port) && port >= 0 && port <= 65_535
}

function invalidPort(name: string, value: string, suggestions: string[]): MoatError {
  const message = `${name} must be a port number from 1 to 65535, not ${JSON.stringify(value)}.`
  return new MoatError('INVALID_PORT', message, { exit: exitCodes.usage, suggestions })
}
