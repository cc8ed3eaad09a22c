import { describe, expect, it } from 'vitest'
import { removableNames } from '../../../src/engine/built-images.js'
import { labels } from '../../../src/engine/labels.js'

const built = { ...Object.fromEntries(Object.values(labels).map((label) => [label, ''])), 'dev.moat.image': '1' }
const names = (RepoTags: string[] | null, Labels: Record<string, string> | null = built) =>
  removableNames({ Id: 'sha256:1', Labels, RepoTags })

describe('an image', () => {
  it('that moat built goes by the names moat gave it', () => {
    expect(names(['moat-agent:0123456789ab'])).toEqual(['moat-agent:0123456789ab'])
    const podman = ['localhost/moat-agent:0123456789ab', 'docker.io/library/moat-agent:0123456789ab']
    expect(names(podman)).toEqual(podman)
    expect(names(['moat-agent:0123456789ab', 'ann/mine:1'])).toEqual(['moat-agent:0123456789ab'])
  })

  it('that a build left without a name goes by its id', () => {
    expect(names(['<none>:<none>'])).toEqual(['sha256:1'])
    expect(names(null)).toEqual(['sha256:1'])
  })

  it.each<[string, string[], Record<string, string> | null]>([
    ['has a name of its own', ['postgres:16'], built],
    ['has nearly such a name', ['ben/moat-agent:0123456789ab'], built],
    ['has such a name with another tag', ['moat-agent:latest'], built],
    ['has no name and only the one label', ['<none>:<none>'], { 'dev.moat.image': '1' }],
    ['has no name and no labels', [], null],
    ['has no name and an agent’s labels', [], { ...built, 'dev.moat.run-id': 'run_a1b2c3d4e5f6' }],
  ])('that %s is not for moat to remove', (_, tags, values) => expect(names(tags, values)).toEqual([]))
})
