// Owns the check of the certificate authority's files: that they fit, who may read the key, and how long they are good.
import { X509Certificate } from 'node:crypto'
import { stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { permits } from '../authority/name-constraints.js'
import { readAuthority } from '../authority/root.js'
import type { MoatPaths } from '../config/paths.js'
import { shellQuote } from '../config/shell-quote.js'
import { type DoctorContext, type Finding, fail, ok, wantedDomain, warn } from './diagnosis.js'
import { type Repair, repairCommand } from './repair.js'

/** A root that ends sooner than this should be renewed. Days. */
const soon = 90
const millisecondsPerDay = 86_400_000
/** Anything for group and others. */
const othersMask = 0o077
/** Writing for group and others: the certificate itself is for everybody to read. */
const othersWriteMask = 0o022

export async function checkAuthority({ paths, wanted }: DoctorContext, now: Date = new Date()): Promise<Finding[]> {
  const certificate = await readAuthority(paths)
  if (certificate === undefined) {
    return [ok('authority', 'There is no certificate authority yet; the first start of the proxy makes one.')]
  }
  const exposed = await exposureOf(paths)
  if (exposed.length > 0) return exposed
  const { raw, validToDate: end } = new X509Certificate(certificate)
  const domain = await wantedDomain({ wanted })
  if (!permits(raw, domain)) {
    const message = `The root certificate is not for ${domain}, which is proxy.domain in config.yaml.`
    return [fail('authority', message, ['moat proxy stop && moat proxy ca rotate && moat proxy trust'])]
  }
  const days = Math.floor((end.getTime() - now.getTime()) / millisecondsPerDay)
  const until = end.toISOString().slice(0, 10)
  if (days >= soon) return [ok('authority', `Certificate and key fit, only you can read the key; good until ${until}.`)]
  const renew = `rm -r ${shellQuote(dirname(paths.caCertificate))} && moat proxy stop && moat proxy start --detach`
  return [warn('authority', `The root certificate ends in ${days} days, on ${until}.`, [renew])]
}

/** What others can do with the files of an authority that they should not. */
export async function exposureOf({
  caCertificate,
  caKey,
}: Pick<MoatPaths, 'caCertificate' | 'caKey'>): Promise<Finding[]> {
  return [...(await exposure(caKey, othersMask, '600')), ...(await exposure(caCertificate, othersWriteMask, '644'))]
}

async function exposure(path: string, mask: number, mode: string): Promise<Finding[]> {
  const found = (await stat(path)).mode & 0o777
  if ((found & mask) === 0) return []
  const repair: Repair = { argv: ['chmod', mode, path], kind: 'command', privileged: false }
  const message = `${path} has the mode ${found.toString(8)}: other users of this machine could use it against you.`
  return [fail('authority', message, [repairCommand(repair)], repair)]
}
