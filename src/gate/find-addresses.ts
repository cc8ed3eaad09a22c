// Owns which addresses stand behind a host, and which of them may be dialled. What is dialled is what was looked at here: there is
// no second look-up that could be answered otherwise.
import { lookup } from 'node:dns/promises'
import { networkInterfaces } from 'node:os'
import { listsAddress } from '../egress/decide.js'
import { isAddress } from '../egress/hosts.js'
import type { NetworkPolicy } from '../egress/policy.js'
import { addressKind } from './address-kind.js'
import type { Target } from './target.js'
import type { TestHosts } from './test-hosts.js'

/** How long a name server may take. Milliseconds. */
const lookupDeadline = 10_000

export type Found =
  | { addresses: string[]; port: number }
  /** What it resolves to is not for this agent; or it does not resolve. */
  | { problem: string; refused: boolean }

/** Rejects with nothing: what goes wrong is a problem. */
export async function findAddresses(
  { host, port }: Target,
  policy: NetworkPolicy,
  testHosts?: TestHosts,
): Promise<Found> {
  const stub = testHosts?.reach(host, port)
  if (stub) return { addresses: [stub.address], port: stub.port }
  const all = isAddress(host) ? [host] : await (testHosts?.resolve(host) ?? resolveHost(host))
  if (!Array.isArray(all)) return { problem: all.problem, refused: false }
  const judged = all.map((address) => ({ address, problem: problemOf(address, { host, port }, policy) }))
  const addresses = judged.filter(({ problem }) => problem === undefined).map(({ address }) => address)
  if (addresses.length > 0) return { addresses, port }
  return { problem: judged[0]?.problem ?? 'no address', refused: judged.length > 0 }
}

function problemOf(address: string, { host, port }: Target, policy: NetworkPolicy): string | undefined {
  const kind = addressKind(address) ?? (isOwn(address) ? 'own' : undefined)
  if (kind === undefined || listsAddress(policy, address, port, host)) return undefined
  return `${kind} address ${address}`
}

/** This machine's servers are no more the world's where its own address is a public one. */
function isOwn(address: string): boolean {
  return Object.values(networkInterfaces()).some((some) => some?.some((one) => one.address === address))
}

async function resolveHost(host: string): Promise<string[] | { problem: string }> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<{ problem: string }>((resolve) => {
    timer = setTimeout(() => resolve({ problem: 'no name server answered' }), lookupDeadline)
  })
  const asked = lookup(host, { all: true, order: 'verbatim' }).then(
    (found) => found.map(({ address }) => address),
    () => ({ problem: 'no such host' }),
  )
  try {
    return await Promise.race([asked, late])
  } finally {
    clearTimeout(timer)
  }
}
