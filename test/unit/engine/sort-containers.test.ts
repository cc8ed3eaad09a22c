// Which of the containers an engine lists are agents, as the engine would list them.
import { randomBytes } from 'node:crypto'
import type { ContainerInfo } from 'dockerode'
import { describe, expect, it } from 'vitest'
import { sealedContainer } from '../../../src/engine/judge-container.js'
import { containerName, toLabels } from '../../../src/engine/labels.js'
import { seal } from '../../../src/engine/seal.js'
import { type Judged, sortContainers } from '../../../src/engine/sort-containers.js'
import { describeUnsealed } from '../../../src/engine/unsealed.js'

const home = '/home/ann/.moat'
const key = randomBytes(32)
const owner = { home, key }
const name = containerName('app', home)

function container(overrides: Partial<ContainerInfo> = {}, by: Uint8Array = key): ContainerInfo {
  const agent = { endpoints: [], keep: false, name: 'app', routes: [], runId: 'run_a1b2c3d4e5f6', workspace: '/w' }
  const mount = { Destination: '/workspace', Mode: '', Propagation: 'rprivate', RW: true, Source: '/w', Type: 'bind' }
  const volume = { ...mount, Destination: '/cache', Source: '', Type: 'volume' }
  const info = {
    Created: 1,
    Id: '0123456789abcdef',
    ImageID: 'sha256:1',
    Labels: toLabels({ ...agent, home }),
    Mounts: [mount, volume],
    Names: [`/${name}`],
    Ports: [],
    State: 'running',
    ...overrides,
  } as unknown as ContainerInfo
  return { ...info, Labels: { ...info.Labels, 'dev.moat.seal': seal(by, sealedContainer(info)) } }
}

const sort = (...containers: ContainerInfo[]) => sortContainers(containers, owner)
const reasons = (...containers: ContainerInfo[]) => sort(...containers).unsealed.map(({ reason }) => reason)

describe('an agent', () => {
  it('is a container with a seal that holds', () => {
    expect(sort(container())).toMatchObject({ agents: [{ name: 'app' }], unreadable: [], unsealed: [] })
  })

  it('keeps its name when another container links to it', () => {
    const linked = { ...container(), Names: ['/other/alias', `/${name}`] }
    expect(sort(linked).agents).toHaveLength(1)
  })

  it('that cannot be read is still one', () => {
    const info = container({ Labels: { ...container().Labels, 'dev.moat.routes': '{' } })
    expect(sort(info)).toMatchObject({
      agents: [],
      unreadable: [{ reason: 'label dev.moat.routes: is not JSON' }],
      unsealed: [],
    })
  })
})

describe('no agent', () => {
  const { 'dev.moat.seal': _, ...labels } = container().Labels

  it('is a container without a seal, of this home or of none', () => {
    const { 'dev.moat.home': _home, ...homeless } = labels
    const found = [labels, homeless, { ...homeless, 'dev.moat.home': '' }].map((Labels, index) => ({
      ...container(),
      Labels,
      Names: [`/image-${index}`],
    }))
    expect(reasons(...found)).toEqual(['unsealed', 'unsealed', 'unsealed'])
    expect(sort(...found)).toMatchObject({ agents: [], unreadable: [] })
  })

  it('is one of another home, or without a run id: it is not even named', () => {
    const elsewhere = container({ Labels: { ...labels, 'dev.moat.home': '/home/ben/.moat' } })
    const none = container({ Labels: { ...labels, 'dev.moat.run-id': '' } })
    expect(sort(elsewhere, none)).toEqual({ agents: [], unreadable: [], unsealed: [] })
  })

  it('is a copy, a renamed one, or one of another key', () => {
    const copy = { ...container(), ImageID: 'sha256:2' }
    const renamed = { ...container(), Names: ['/other'] }
    expect(reasons(copy, renamed, container({}, randomBytes(32)))).toEqual(
      expect.arrayContaining(['copied', 'foreign', 'renamed']),
    )
    expect(sortContainers([container()], { home, key: undefined }).unsealed).toMatchObject([{ reason: 'foreign' }])
    const [found] = sortContainers([renamed], owner, 'podman').unsealed
    expect(found).toMatchObject({ fix: `podman rename other ${name}`, runId: 'run_a1b2c3d4e5f6', state: 'running' })
    expect(found && describeUnsealed(found)).toBe('The container other belongs to an agent and was renamed')
    expect(sort(copy).unsealed).toMatchObject([{ fix: `docker rm -f ${name}` }])
    expect(sort(copy).unsealed[0]).not.toHaveProperty('runId')
  })

  it('is either of two that an engine shows with one seal', () => {
    expect(reasons(container(), { ...container(), Id: 'fedcba' })).toEqual(['repeated', 'repeated'])
    const copy = { ...container(), Id: 'fedcba', Names: ['/copy'] }
    expect(sort(copy, container())).toMatchObject({ agents: [{ name: 'app' }], unsealed: [{ reason: 'renamed' }] })
  })

  it('is a container whose seal is for another home, by the key of a copied ~/.moat', () => {
    const { 'dev.moat.home': _home, ...homeless } = labels
    expect(reasons(container({ Labels: homeless }))).toEqual(['foreign'])
  })
})

describe('a later look', () => {
  const changes: [string, Partial<ContainerInfo>, RegExp][] = [
    ['another state', { State: 'paused' }, /paused/],
    ['another name', { Names: ['/other'] }, /renamed/],
    ['another image', { ImageID: 'sha256:2' }, /copied/],
    ['another label', { Labels: { ...container().Labels, 'dev.moat.workspace': '/elsewhere' } }, /foreign/],
    ['another mount', { Mounts: [] }, /copied/],
    ['another port', { Ports: [{ IP: '127.0.0.1', PrivatePort: 3000, PublicPort: 32_768, Type: 'tcp' }] }, /32768/],
  ]

  it.each(changes)('sees %s', (_, change, expected) => {
    const known: Judged = new Map()
    const first = container()
    const [before] = sortContainers([first], owner, 'docker', known).agents
    const { agents, unsealed } = sortContainers([{ ...first, ...change }], owner, 'docker', known)
    expect(agents[0]).not.toBe(before)
    expect(JSON.stringify([agents, unsealed])).toMatch(expected)
  })

  it('has the same agent for what is the same, as an object too, while the key is', () => {
    const known: Judged = new Map()
    const look = (by: Uint8Array) =>
      sortContainers([structuredClone(info)], { home, key: Buffer.from(by) }, 'docker', known)
    const info = container()
    const [before] = look(key).agents
    expect(before).toBeDefined()
    expect(look(key).agents[0]).toBe(before)
    expect(look(randomBytes(32)).unsealed).toMatchObject([{ reason: 'foreign' }])
    expect(look(key).agents).toEqual([before])
  })

  it('sees a second container of the same run', () => {
    const known: Judged = new Map()
    const first = container()
    expect(sortContainers([first], owner, 'docker', known).agents).toHaveLength(1)
    const both = [first, { ...first, Id: 'fedcba9876543210' }]
    expect(sortContainers(both, owner, 'docker', known).unsealed).toMatchObject([
      { reason: 'repeated' },
      { reason: 'repeated' },
    ])
    expect(sortContainers([first], owner, 'docker', known).agents).toHaveLength(1)
  })
})
