// Containers of others with any labels, states and names: none is an agent, and what is said of each can be shown.
import { randomBytes } from 'node:crypto'
import type { ContainerInfo } from 'dockerode'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { sealedContainer } from '../../../src/engine/judge-container.js'
import { containerName, labels, toLabels } from '../../../src/engine/labels.js'
import { seal } from '../../../src/engine/seal.js'
import { sortContainers } from '../../../src/engine/sort-containers.js'
import { describeUnsealed } from '../../../src/engine/unsealed.js'
import { routeTable } from '../../../src/routing/route-table.js'
import { fuzzing, isReadable, oddTexts, patience } from '../../helpers/fuzz.js'

const home = '/home/ann/.moat'
const [key, another] = [randomBytes(32), randomBytes(32)]
const written = toLabels({
  endpoints: [{ name: 'web', port: 3000, type: 'http' }],
  home,
  keep: false,
  name: 'app',
  routes: [{ endpoint: 'web', upstream: { port: 3000, protocol: 'http' } }],
  runId: 'run_a1b2c3d4e5f6',
  workspace: '/w',
})

const value = fc.oneof(
  fc.constantFrom(...oddTexts),
  fc.constantFrom(...Object.values(written)),
  fc.json({ maxDepth: 1 }),
  fc.string({ unit: 'binary' }),
)
const changes = fc.dictionary(fc.constantFrom(...Object.values(labels)), value, { maxKeys: 4 })
/** As `docker ps` has them: letters that Docker allows in names. */
const dockerName = fc.stringMatching(/^\/[a-zA-Z0-9][a-zA-Z0-9_.-]{1,30}$/)
const container = fc.record({
  Created: fc.integer({ max: 4_000_000_000, min: 0 }),
  Id: fc.constant('0123456789ab'.repeat(5)),
  ImageID: fc.string(),
  Mounts: fc.constant([]),
  Names: fc.oneof(
    fc.constant([`/${containerName('app', home)}`]),
    fc.array(dockerName, { maxLength: 2, minLength: 1 }),
  ),
  Ports: fc.constant([{ IP: '127.0.0.1', PrivatePort: 3000, PublicPort: 40_000, Type: 'tcp' }]),
  State: fc.constantFrom('running', 'exited', 'paused', 'weird'),
})

const infoOf = (base: object, own: Record<string, string>) =>
  ({ ...base, Labels: { ...written, ...own } }) as unknown as ContainerInfo

it('is no agent without a seal, or with one of another key, another container or other labels', patience, () => {
  let unsealed = 0
  fc.assert(
    fc.property(
      container,
      changes,
      fc.constantFrom('none', 'another key', 'before the change', 'as given'),
      (base, own, how) => {
        const by = how === 'another key' ? another : key
        const { [labels.seal]: given, ...others } = own
        const sealed = how === 'before the change' ? infoOf({ ...base, Names: ['/another'] }, {}) : infoOf(base, others)
        const text = how === 'none' ? undefined : how === 'as given' ? given : seal(by, sealedContainer(sealed))
        const info = infoOf(base, { ...others, ...(text !== undefined && { [labels.seal]: text }) })
        const sorted = sortContainers([info], { home, key })
        unsealed += sorted.unsealed.length
        const said = sorted.unsealed.flatMap((one) => [describeUnsealed(one), one.fix])
        return sorted.agents.length === 0 && sorted.unreadable.length === 0 && said.every(isReadable)
      },
    ),
    fuzzing(),
  )
  expect(unsealed).toBeGreaterThan(1_000)
})

it('that moat did seal, with any labels, is an agent below its own name, or cannot be read', patience, () => {
  const seen = { agents: 0, unreadable: 0 }
  fc.assert(
    fc.property(container, changes, (base, own) => {
      const { [labels.seal]: _, [labels.home]: __, ...others } = own
      const named = infoOf(base, others)
      const Names = [`/${containerName(named.Labels[labels.name] ?? '', home)}`]
      const info = { ...named, Names }
      info.Labels = { ...info.Labels, [labels.seal]: seal(key, sealedContainer(info)) }
      const { agents, unreadable } = sortContainers([info], { home, key })
      seen.agents += agents.length
      seen.unreadable += unreadable.length
      const table = routeTable(agents, 'localhost')
      const hosts = [...table.doors, ...table.upstreams]
        .map(({ host }) => host)
        .concat(table.hostRoutes.flatMap(({ hosts }) => hosts))
      return hosts.every((host) => `.${host}`.endsWith(`.${agents[0]?.name}.localhost`))
    }),
    fuzzing(),
  )
  expect(Math.min(...Object.values(seen))).toBeGreaterThan(500)
})
