import { describe, expect, it } from 'vitest'
import { checkNeighbours, type ReadSetting } from '../../../src/doctor/check-neighbours.js'
import type { DoctorContext } from '../../../src/doctor/diagnosis.js'

const kernel =
  (settings: Partial<Record<string, string>>): ReadSetting =>
  async (name) =>
    settings[name]
const engine = (traits: { rootless?: boolean; shares?: boolean }) =>
  ({
    connectEngine: async () => ({
      isRootless: async () => traits.rootless ?? false,
      sharesSockets: async () => traits.shares ?? true,
    }),
    platform: 'linux',
  }) as unknown as DoctorContext
const usual = kernel({ addr_gen_mode: '0', disable_ipv6: '0' })

describe('containers that start and stop', () => {
  it('are noticed by browsers where their interfaces get addresses, and one setting mends it', async () => {
    const [found] = await checkNeighbours(engine({}), usual)
    expect(found).toMatchObject({ check: 'neighbours', repair: { privileged: true }, status: 'warn' })
    expect(found?.message).toMatch(/^Chromium and Chrome drop open WebSockets/)
    expect(found?.fixes).toEqual([
      "sudo sh -c 'echo net.ipv6.conf.default.addr_gen_mode=1 >/etc/sysctl.d/60-moat.conf && sysctl -p /etc/sysctl.d/60-moat.conf'",
    ])
    const unreachable = { connectEngine: () => Promise.reject(new Error('away')), platform: 'linux' as const }
    expect(await checkNeighbours(unreachable, usual)).toEqual([found])
  })

  it.each([
    ['the setting is made', { addr_gen_mode: '1', disable_ipv6: '0' }],
    ['new interfaces have no IPv6', { addr_gen_mode: '0', disable_ipv6: '1' }],
    ['the kernel has no IPv6', {}],
  ])('are not noticed where %s', async (_, settings) => {
    expect(await checkNeighbours(engine({}), kernel(settings))).toMatchObject([{ status: 'ok' }])
  })

  it('are elsewhere in a virtual machine and without root', async () => {
    expect(await checkNeighbours(engine({ rootless: true }), usual)).toEqual([])
    expect(await checkNeighbours(engine({ shares: false }), usual)).toEqual([])
    expect(await checkNeighbours({ ...engine({}), platform: 'darwin' }, usual)).toEqual([])
  })
})
