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

it('knows runtimes whose containers have a kernel of their own, unless they are told to share sockets', async () => {
  const Runtimes = {
    crun: { path: 'crun' },
    'gvisor-shared': { path: '/usr/bin/runsc', runtimeArgs: ['--platform=kvm', '--host-uds=all'] },
    'io.containerd.kata.v2': null,
    opens: { path: '/usr/bin/runsc', runtimeArgs: ['--host-uds=open'] },
    runc: { path: 'runc' },
    runsc: { path: '/usr/bin/runsc' },
    safe: { runtimeType: 'io.containerd.runsc.v1' },
  }
  const { defaultRuntime, runtimes, sealedOff } = await traits({ DefaultRuntime: 'safe', Runtimes })
  expect(sealedOff).toEqual(['io.containerd.kata.v2', 'opens', 'runsc', 'safe'])
  expect([defaultRuntime, runtimes.length]).toEqual(['safe', 7])
  expect((await traits({})).sealedOff).toEqual([])
})
