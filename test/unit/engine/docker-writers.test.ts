// Owns who is held still while the engine follows a path.
import type { ContainerInfo } from 'dockerode'
import { expect, it } from 'vitest'
import { writersOf } from '../../../src/engine/docker-writers.js'

const container = (Id: string, Source: string, RW = true) => ({ Id, Mounts: [{ RW, Source }] }) as ContainerInfo

it('is whoever can write in a directory above it', () => {
  const all = [
    container('above', '/src'),
    container('far above', '/'),
    container('at it', '/src/app'),
    container('below it', '/src/app/data'),
    container('beside it', '/src/app2'),
    container('reading', '/src', false),
    { Id: 'no mounts' } as ContainerInfo,
  ]
  expect(writersOf(all, ['/src/app']).map(({ Id }) => Id)).toEqual(['above', 'far above'])
  expect(writersOf(all, ['/elsewhere', '/src/app/x']).map(({ Id }) => Id)).toEqual(['above', 'far above', 'at it'])
})
