// A seal holds for the container it was made for, and for nothing that can be made from it.
import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { judgeSeal, type SealedContainer, seal, withoutInherited } from '../../../src/engine/seal.js'

const key = randomBytes(32)
const workspace = { readOnly: false, source: '/home/ann/app', target: '/workspace' }
const data = { readOnly: true, source: '/home/ann/data', target: '/data' }
const made = {
  image: 'sha256:0123',
  labels: {
    'dev.moat.home': '/home/ann/.moat',
    'dev.moat.name': 'app',
    'dev.moat.run-id': 'run_a1b2c3d4e5f6',
  } as Record<string, string>,
  mounts: [workspace, data],
  name: 'moat-app-1',
}

function sealed<T extends SealedContainer>(container: T, by: Uint8Array = key): T {
  return { ...container, labels: { ...container.labels, 'dev.moat.seal': seal(by, container) } }
}

const judge = (container: SealedContainer, by: Uint8Array | undefined = key) => judgeSeal(by, container, 'moat-app-1')
const listed = sealed(made)

describe('a seal', () => {
  it('holds for what it was made for, in whatever order and spelling the engine lists it', () => {
    expect(judge(listed)).toBe('genuine')
    const labels = Object.fromEntries(Object.entries(listed.labels).toReversed())
    const mounts = [{ ...data, source: '/home/ann//data', target: '/data/' }, workspace]
    expect(judge({ ...listed, labels: { ...labels, 'com.example.other': 'x' }, mounts })).toBe('genuine')
    expect(judge({ ...listed, labels: { ...listed.labels, 'dev.moat.keep': '' } })).toBe('genuine')
  })

  it.each<[string, Record<string, string>, string]>([
    ['none', { 'dev.moat.seal': '' }, 'unsealed'],
    ['not one', { 'dev.moat.seal': 'x' }, 'foreign'],
    ['of a label that was changed', { 'dev.moat.name': 'other' }, 'foreign'],
    ['of a label that was added', { 'dev.moat.keep': 'true' }, 'foreign'],
    ['of a label that nobody reads', { 'dev.moat.x': '1' }, 'foreign'],
    ['of a label that was taken away', { 'dev.moat.home': '' }, 'foreign'],
  ])('that is %s', (_, change, verdict) => {
    expect(judge({ ...listed, labels: { ...listed.labels, ...change } })).toBe(verdict)
  })

  it.each<[string, Partial<SealedContainer>, string]>([
    ['another image', { image: 'sha256:4567' }, 'copied'],
    ['another name', { name: 'moat-app-2' }, 'renamed'],
    ['another name and image', { image: 'sha256:4567', name: 'moat-app-2' }, 'copied'],
    ['a mount less', { mounts: [workspace] }, 'copied'],
    ['a mount more', { mounts: [...made.mounts, { ...data, target: '/more' }] }, 'copied'],
    ['a mount that may be written', { mounts: [workspace, { ...data, readOnly: false }] }, 'copied'],
    ['a mount from elsewhere', { mounts: [{ ...workspace, source: '/' }, data] }, 'copied'],
    ['no image', { image: undefined }, 'copied'],
  ])('does not hold for %s', (_, change, verdict) => {
    expect(judge({ ...listed, ...change })).toBe(verdict)
  })

  it('of another key, or seen without one, is foreign', () => {
    expect(judge(listed, randomBytes(32))).toBe('foreign')
    expect(judgeSeal(undefined, listed, 'moat-app-1')).toBe('foreign')
  })

  it('cannot be taken apart: what it is bound to is part of it', () => {
    const text = listed.labels['dev.moat.seal'] as string
    expect(text).toMatch(/^v1\.image\+mounts\./)
    for (const bound of ['', 'image', 'mounts', 'imagemounts']) {
      const weaker = text.replace('image+mounts', bound)
      expect(judge({ ...listed, image: 'sha256:4567', labels: { ...listed.labels, 'dev.moat.seal': weaker } })).toBe(
        bound === 'imagemounts' ? 'foreign' : 'copied',
      )
    }
  })

  it('made without image and mounts holds by name', () => {
    const { image: _image, mounts: _mounts, ...rest } = made
    const named = sealed(rest)
    expect(judge({ ...named, image: 'any', mounts: [] })).toBe('genuine')
    expect(judge({ ...named, name: 'moat-app-2' })).toBe('renamed')
  })
})

const text = fc.string({ maxLength: 12, unit: 'binary' })
const labelName = fc.string({ maxLength: 12, minLength: 1 }).map((name) => `dev.moat.${name}`)
const containers = fc.record({
  image: text,
  labels: fc.dictionary(labelName, text),
  mounts: fc.array(fc.record({ readOnly: fc.boolean(), source: text, target: text }), { maxLength: 4 }),
  name: text,
})

describe('whatever the labels', { timeout: 60_000 }, () => {
  const runs = { numRuns: 2_000 }

  it('a seal holds for its container and for no other', () => {
    fc.assert(
      fc.property(containers, containers, (one, other) => {
        const { 'dev.moat.seal': text = '' } = sealed(one).labels
        const borrowed = { ...other, labels: { ...other.labels, 'dev.moat.seal': text } }
        expect(judgeSeal(key, sealed(one), '')).toBe('genuine')
        if (seal(key, one) !== seal(key, other)) expect(judgeSeal(key, borrowed, '\0')).not.toBe('genuine')
      }),
      runs,
    )
  })

  it('one label more, or one with another value, breaks it', () => {
    fc.assert(
      fc.property(containers, labelName, text, (one, name, value) => {
        fc.pre(name !== 'dev.moat.seal' && (one.labels[name] ?? '') !== value)
        const genuine = sealed(one)
        expect(judge({ ...genuine, labels: { ...genuine.labels, [name]: value } })).toBe('foreign')
      }),
      runs,
    )
  })

  it('an image that has them, and a copy or a renamed one, is no agent', () => {
    fc.assert(
      fc.property(containers, text, text, (one, image, name) => {
        fc.pre(image !== one.image && name !== one.name)
        expect(judgeSeal(key, { ...sealed(one), image }, one.name)).toBe('copied')
        expect(judgeSeal(key, { ...sealed(one), name }, one.name)).toBe('renamed')
        expect(judgeSeal(key, { ...sealed(one), image, name }, one.name)).toBe('copied')
      }),
      runs,
    )
  })

  it('a container made from such an image inherits none of them', () => {
    fc.assert(
      fc.property(containers, containers, (base, one) => {
        const labels = { ...withoutInherited(sealed(base).labels), ...one.labels }
        const created = sealed({ ...one, labels })
        const listed = { ...sealed(base).labels, ...created.labels }
        expect(judgeSeal(key, { ...created, labels: listed }, '')).toBe('genuine')
      }),
      runs,
    )
  })
})
