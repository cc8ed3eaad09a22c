// Owns the check of names: whether this system's resolver finds the domain and names below it, as most programs ask it.
import { lookup as systemLookup } from 'node:dns/promises'
import { access } from 'node:fs/promises'
import { isIP } from 'node:net'
import { systemCode } from '../errors.js'
import { defaultDomain, endpointHost } from '../routing/urls.js'
import { addressOf } from '../supervisor/protocol.js'
import { type DoctorContext, type Finding, fail, ok, wantedDomain, warn } from './diagnosis.js'
import { type Repair, repairCommand } from './repair.js'

/** All addresses of a name by the system's resolver (getaddrinfo), not by DNS. */
export type Lookup = (host: string) => Promise<string[]>

const bySystem: Lookup = async (host) => (await systemLookup(host, { all: true })).map(({ address }) => address)

export async function checkResolver(
  { platform, proxy, wanted }: Pick<DoctorContext, 'platform' | 'proxy' | 'wanted'>,
  lookup: Lookup = bySystem,
): Promise<Finding[]> {
  const running = await proxy()
  const domain = running ? addressOf(running).domain : await wantedDomain({ wanted })
  const apex = await addressesOf(domain, lookup)
  if (apex.length === 0 && domain === defaultDomain) {
    return [
      fail('names', 'The system does not resolve localhost.', ["echo '127.0.0.1 localhost' | sudo tee -a /etc/hosts"]),
    ]
  }
  const host = endpointHost('moat-doctor', 'web', domain)
  const below = await addressesOf(host, lookup)
  const foreign = [...apex, ...below].find((address) => !isLoopback(address))
  if (foreign) {
    const message = `A name below ${domain} resolves to ${foreign}, which is not this machine: URLs would lead elsewhere.`
    return [fail('names', message, [`getent hosts ${host}`, 'cat /etc/hosts /etc/resolv.conf'])]
  }
  if (below.length > 0) return [ok('names', `*.${domain} resolves to ${below.at(-1)}.`)]
  return domain === defaultDomain ? [await unknownBelowLocalhost(platform)] : [unknownBelow(domain, apex)]
}

async function unknownBelowLocalhost(platform: NodeJS.Platform): Promise<Finding> {
  const message =
    'The system does not resolve *.localhost. Browsers and curl do by themselves; other programs (Safari, Java, Node.js, wget) cannot open the URLs.'
  const repair = await repairFor(platform)
  const line = `127.0.0.1 ${endpointHost('my-app', 'web', defaultDomain)}`
  return warn('names', message, [repair ? repairCommand(repair) : `echo '${line}' | sudo tee -a /etc/hosts`], repair)
}

/** Nobody resolves a domain of the user's by itself. `moat proxy hosts sync` writes the domain along with its hosts. */
function unknownBelow(domain: string, apex: readonly string[]): Finding {
  if (apex.length > 0) {
    return ok('names', `${domain} resolves to ${apex.at(-1)}; of the names below it, those that the hosts file has.`)
  }
  const message = `The system does not resolve ${domain}: no program can open the URLs.`
  return warn('names', message, ['moat proxy hosts sync   # again when agents have come or gone'])
}

/** What makes names below localhost known, where one package does. */
async function repairFor(platform: NodeJS.Platform): Promise<Repair | undefined> {
  const debian =
    platform === 'linux' &&
    (await access('/usr/bin/apt-get').then(
      () => true,
      () => false,
    ))
  if (!debian) return undefined
  return { argv: ['apt-get', 'install', '-y', 'libnss-myhostname'], kind: 'command', privileged: true }
}

async function addressesOf(host: string, lookup: Lookup): Promise<string[]> {
  try {
    return await lookup(host)
  } catch (error) {
    if (['EAI_AGAIN', 'ENODATA', 'ENOTFOUND'].includes(systemCode(error) ?? '')) return []
    throw error
  }
}

function isLoopback(address: string): boolean {
  return isIP(address) === 4 ? address.startsWith('127.') : address === '::1'
}
