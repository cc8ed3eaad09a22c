// Owns which addresses are the world's, and which lead back to this machine or its network: whoever answers for a name may answer
// with any. Pure.
import { BlockList, isIPv4 } from 'node:net'

/** By kind, as told to people. Whatever is in none of them is public; what is for books (192.0.2.0/24 and the like) leads nowhere. */
const kinds: [kind: string, networks: string[]][] = [
  ['loopback', ['127.0.0.0/8', '::1/128']],
  // Azure's is no link-local one.
  ['metadata', ['168.63.129.16/32', '169.254.169.254/32', '100.100.100.200/32', '192.0.0.192/32', 'fd00:ec2::254/128']],
  ['link-local', ['169.254.0.0/16', 'fe80::/10']],
  ['private', ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10', 'fc00::/7', 'fec0::/10']],
  ['unspecified', ['0.0.0.0/8', '::/128']],
  ['multicast', ['224.0.0.0/4', 'ff00::/8']],
  ['reserved', ['192.0.0.0/24', '192.88.99.0/24', '198.18.0.0/15', '240.0.0.0/4']],
]

const lists = kinds.map(([kind, networks]) => ({ kind, list: blockList(networks) }))
/** What of IPv6 is given out to anybody, and in it what leads somewhere else or is not given out. */
const globalUnicast = blockList(['2000::/3'])
const special = blockList(['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20'])
/** A translator puts an IPv4 address into the last 32 bits; so does what stands for one within a program. */
const translated = blockList(['64:ff9b::/96', '::ffff:0:0/96'])

/** Undefined for a public address; `private`, `loopback`, … for one that is not; `reserved` for what is no address. */
export function addressKind(address: string): string | undefined {
  if (isIPv4(address)) return kindOf(address, 'ipv4')
  const [bytes] = [bytesOfIPv6(address)]
  // With a zone it is of one link, too.
  if (!bytes) return 'reserved'
  if (translated.check(address, 'ipv6')) return addressKind(bytes.slice(12).join('.'))
  return kindOf(address, 'ipv6') ?? (isGlobal(address) ? undefined : 'reserved')
}

function isGlobal(address: string): boolean {
  return globalUnicast.check(address, 'ipv6') && !special.check(address, 'ipv6')
}

function kindOf(address: string, family: 'ipv4' | 'ipv6'): string | undefined {
  return lists.find(({ list }) => list.check(address, family))?.kind
}

function blockList(networks: readonly string[]): BlockList {
  const list = new BlockList()
  for (const network of networks) {
    const [address = '', prefix] = network.split('/')
    list.addSubnet(address, Number(prefix), isIPv4(address) ? 'ipv4' : 'ipv6')
  }
  return list
}

/** Its 16 bytes; undefined for what is none. */
export function bytesOfIPv6(address: string): number[] | undefined {
  const url = `http://[${address}]/`
  if (address.includes('%') || !URL.canParse(url)) return undefined
  const [head = '', tail] = new URL(url).hostname.slice(1, -1).split('::')
  const groups = (text: string) => (text === '' ? [] : text.split(':'))
  const [before, after] = [groups(head), groups(tail ?? '')]
  const zeros = tail === undefined ? 0 : 8 - before.length - after.length
  const all = [...before, ...Array<string>(zeros).fill('0'), ...after].map((group) => Number.parseInt(group, 16))
  return all.flatMap((group) => [group >> 8, group & 255])
}
