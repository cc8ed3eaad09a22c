import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import {
  type ListedVolume,
  volumeId,
  volumeLabels,
  volumeLabelsOf,
  volumeOwner,
} from '../../../src/engine/volume-seal.js'

const key = randomBytes(32)
const home = '/home/a/.moat'
const owner = { name: 'mods', place: '/srv/app' }
const volume: ListedVolume = {
  Driver: 'local',
  Labels: volumeLabelsOf(owner, home, key),
  Name: volumeId(owner, home),
  Options: null,
}

describe('a volume', () => {
  it('has a name of its own for each place, name and home', () => {
    expect(volumeId(owner, home)).toMatch(/^moat-mods-[0-9a-f]{12}$/)
    expect(volumeId({ ...owner }, home)).toBe(volumeId(owner, home))
    const others = [
      volumeId({ ...owner, place: '/srv/app2' }, home),
      volumeId(owner, '/home/b/.moat'),
      volumeId({ name: 'mods', place: '/srv/app","mods' }, home),
    ]
    expect(new Set([volumeId(owner, home), ...others]).size).toBe(4)
  })

  it('that moat made is known', () => {
    expect(volumeOwner(volume, home, key)).toEqual(owner)
    expect(volumeOwner({ ...volume, Options: {} }, home, key)).toEqual(owner)
  })

  it.each<[string, Partial<ListedVolume>]>([
    ['without labels', { Labels: null }],
    ['with labels and no seal', { Labels: { ...volume.Labels, [volumeLabels.seal]: '' } }],
    ['with the seal of another', { Name: `${volume.Name}0` }],
    ['of another place', { Labels: { ...volume.Labels, [volumeLabels.place]: '/srv/other' } }],
    ['that leads to a directory of the host', { Options: { device: '/', o: 'bind', type: 'none' } }],
    ['of another driver', { Driver: 'nfs' }],
  ])('%s is none of its', (_, change) => {
    expect(volumeOwner({ ...volume, ...change }, home, key)).toBeUndefined()
  })

  it('of another key, of none and of another home is none of its', () => {
    expect(volumeOwner(volume, home, randomBytes(32))).toBeUndefined()
    expect(volumeOwner(volume, home, undefined)).toBeUndefined()
    expect(volumeOwner(volume, '/home/b/.moat', key)).toBeUndefined()
  })
})
