import type Docker from 'dockerode'
import { expect, it } from 'vitest'
import { readTraits } from '../../../src/engine/engine-traits.js'

const traits = (info: object, platform: NodeJS.Platform = 'linux') =>
  readTraits({ info: async () => info } as unknown as Docker, platform)

it.each([
  ['Docker', { SecurityOptions: ['name=seccomp,profile=builtin'] }, { podman: false, rootless: false, virtual: false }],
  ['rootless Docker', { SecurityOptions: ['name=seccomp', 'name=rootless'] }, { podman: false, rootless: true }],
  ['Podman', { BuildahVersion: '1.28.2', Rootless: false, SecurityOptions: null }, { podman: true, rootless: false }],
  // What Podman 4.3 says.
  [
    'rootless Podman',
    { BuildahVersion: '1.28.2', Rootless: true, SecurityOptions: ['name=seccomp'] },
    { podman: true, rootless: true },
  ],
  ['Docker Desktop on Linux', { OperatingSystem: 'Docker Desktop' }, { virtual: true }],
])('reads what %s says of itself', async (_, info, expected) => expect(await traits(info)).toMatchObject(expected))

it('takes every engine of a Mac for one in a virtual machine', async () => {
  expect((await traits({ OperatingSystem: 'Alpine Linux v3.20' }, 'darwin')).virtual).toBe(true)
})
