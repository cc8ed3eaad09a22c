// Owns where Caddy is downloaded from: the official service, or a mirror the user has named. Pure.
import { exitCodes, MoatError } from '../errors.js'

const officialService = 'https://caddyserver.com/api/download'
/** What the official service is asked to build in: one port for HTTPS, plain HTTP, and TCP by name. */
const layer4 = 'github.com/mholt/caddy-l4'

/** Node's names of systems and processors, and Caddy's. */
const systems: Partial<Record<string, string>> = { darwin: 'darwin', linux: 'linux' }
const processors: Partial<Record<string, string>> = { arm64: 'arm64', x64: 'amd64' }

export interface CaddySource {
  arch?: string
  /** `MOAT_CADDY_MIRROR`, else `caddy.mirror` of config.yaml. */
  mirror?: string | undefined
  platform?: NodeJS.Platform
}

/** The address of a Caddy with layer4 for this machine. `{os}` and `{arch}` in a mirror are replaced, or else added as a query. */
export function caddyUrl({ arch = process.arch, mirror, platform = process.platform }: CaddySource): URL {
  const names = { arch: processors[arch], os: systems[platform] }
  if (!names.arch || !names.os) {
    throw new MoatError('CADDY_DOWNLOAD', `There is no Caddy to download for ${platform} on ${arch}.`, {
      suggestions: ['MOAT_CADDY=/path/to/caddy moat run'],
    })
  }
  const template = mirror ?? officialService
  const text = template.replaceAll('{os}', names.os).replaceAll('{arch}', names.arch)
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (!url || !isSafe(url)) throw badMirror(template)
  if (text === template) {
    url.searchParams.set('os', names.os)
    url.searchParams.set('arch', names.arch)
    url.searchParams.set('p', layer4)
  }
  return url
}

/** What is downloaded is run, so nobody on the way may change it: https, or this very machine. */
export function isSafe({ hostname, protocol }: URL): boolean {
  return protocol === 'https:' || (protocol === 'http:' && ['127.0.0.1', '[::1]', 'localhost'].includes(hostname))
}

function badMirror(mirror: string): MoatError {
  const message = `The mirror for Caddy must be an https:// address, not ${JSON.stringify(mirror)}.`
  return new MoatError('CADDY_DOWNLOAD', message, {
    exit: exitCodes.usage,
    suggestions: ["export MOAT_CADDY_MIRROR='https://mirror.example/caddy-{os}-{arch}'", 'unset MOAT_CADDY_MIRROR'],
  })
}
