// Owns who is held still while the engine follows a path.
import type { ContainerInfo } from 'dockerode'
import { expect, it } from 'vitest'
import { writersOf } from '../../../src/engine/writers-of.js'

type Mounted = [source: string, target: string, RW?: boolean]

const container = (Id: string, ...mounts: Mounted[]) =>
  ({
    Id,
    Mounts: mounts.map(([Source, Destination, RW = true]) => ({ Destination, RW, Source })),
  }) as ContainerInfo
const ids = (all: ContainerInfo[], ...paths: string[]) => writersOf(all, paths).map(({ Id }) => Id)

it('is whoever can write in a directory above it', () => {
  const all = [
    container('above', ['/src', '/workspace']),
    container('far above', ['/', '/host']),
    container('at it', ['/src/app', '/workspace']),
    container('below it', ['/src/app/data', '/workspace']),
    container('beside it', ['/src/app2', '/workspace']),
    container('reading', ['/src', '/workspace', false]),
    { Id: 'no mounts' } as ContainerInfo,
  ]
  expect(ids(all, '/src/app')).toEqual(['above', 'far above'])
  expect(ids(all, '/elsewhere', '/src/app/x')).toEqual(['above', 'far above', 'at it'])
})

it('is nobody on whose way something is mounted at every step', () => {
  const root: Mounted = ['/r', '/workspace']
  const git: Mounted = ['/r/.git', '/workspace/.git']
  const main = container('main', root, git, ['/r/.git/hooks', '/workspace/.git/hooks', false])
  expect(ids([main], '/r', '/r/.git', '/r/.git/hooks', '/r/.git/hooks/x')).toEqual([])
  expect(ids([main], '/r/.git/objects')).toEqual(['main'])
  expect(ids([main], '/r/packages')).toEqual(['main'])
  const further = container('main', root, git, ['/r/.git/logs', '/workspace/.git/logs'])
  expect(ids([further], '/r/.git/logs/refs')).toEqual(['main'])
  // What is mounted deeper holds only itself: the directory above it can be renamed, and takes it along.
  expect(ids([container('deep', root, ['/r/a/b', '/workspace/a/b'])], '/r/a/b')).toEqual(['deep'])
})

it('is not whoever has something else there', () => {
  const hidden = container('hidden', ['/r', '/workspace'], ['/volume', '/workspace/node_modules'])
  expect(ids([hidden], '/r/node_modules/x')).toEqual([])
  expect(ids([hidden], '/volume/x', '/r/src')).toEqual(['hidden'])
  // The same directory in two places, and covered in one of them only.
  const twice = container('twice', ['/r', '/a'], ['/r/b', '/a/b', false], ['/r', '/c'])
  expect(ids([twice], '/r/b')).toEqual(['twice'])
  const reading = container('reading', ['/r', '/a', false], ['/r/b', '/a/b'])
  expect(ids([reading], '/r/b')).toEqual([])
  expect(ids([reading], '/r/b/x')).toEqual(['reading'])
})
