// Owns the check of what browsers notice of containers that come and go. A container's network interface has an end on this
// machine; Linux gives that end an IPv6 address, and Chromium takes a new address for another network and lets go of every
// HTTP/2 connection: hot reload loses its WebSocket and the page its state, whenever a neighbour starts or stops.
import { readFile } from 'node:fs/promises'
import { type DoctorContext, type Finding, ok, warn } from './diagnosis.js'
import { type Repair, repairCommand } from './repair.js'

const setting = 'net.ipv6.conf.default.addr_gen_mode'
const file = '/etc/sysctl.d/60-moat.conf'
/** Those that manage networks give interfaces their addresses themselves; only ones that nobody manages go without. */
const repair: Repair = {
  argv: ['sh', '-c', `echo ${setting}=1 >${file} && sysctl -p ${file}`],
  kind: 'command',
  privileged: true,
}

/** The kernel's words for what new interfaces get: by its name, or undefined where there is no IPv6. */
export type ReadSetting = (name: 'addr_gen_mode' | 'disable_ipv6') => Promise<string | undefined>

const ofThisMachine: ReadSetting = (name) =>
  readFile(`/proc/sys/net/ipv6/conf/default/${name}`, 'utf8').then(
    (text) => text.trim(),
    () => undefined,
  )

export async function checkNeighbours(
  { connectEngine, platform }: Pick<DoctorContext, 'connectEngine' | 'platform'>,
  read: ReadSetting = ofThisMachine,
): Promise<Finding[]> {
  // Elsewhere, and without root, interfaces of containers are in a network that browsers do not see.
  if (platform !== 'linux') return []
  const engine = await connectEngine().catch(() => undefined)
  if (engine && (!(await engine.sharesSockets()) || (await engine.isRootless()))) return []
  const [disabled, mode] = await Promise.all([read('disable_ipv6'), read('addr_gen_mode')])
  if (disabled === undefined || mode === undefined || disabled === '1' || mode === '1')
    return [ok('neighbours', 'Browsers do not notice containers that start and stop.')]
  const message =
    'Chromium and Chrome drop open WebSockets, and with them hot reload, whenever a container starts or stops: its network interface gets an IPv6 address on this machine.'
  return [warn('neighbours', message, [repairCommand(repair)], repair)]
}
