import { describe, expect, it } from 'vitest'
import { containerRequest } from '../../../src/engine/container-request.js'
import type { ContainerSpec } from '../../../src/engine/engine.js'

const spec: ContainerSpec = {
  command: ['npm', 'start'],
  cpus: 1.5,
  env: { KEY: 'a=b' },
  image: 'node:22-slim',
  labels: {},
  memory: 512,
  mounts: [{ readOnly: true, source: '/data', target: '/data' }],
  name: 'moat-a',
  ports: [{ port: 3000 }, { hostPort: 20_432, port: 5432 }],
  user: { gid: 1001, uid: 1000 },
  workdir: '/workspace',
}
const request = (overrides: Partial<ContainerSpec> = {}, rootless = false, podman = false) =>
  containerRequest(
    { ...spec, ...overrides },
    { podman, remapped: false, rootless, runtimes: [], sealedOff: [], virtual: false },
  )

describe('containerRequest', () => {
  it('publishes on loopback only, mounts without creating, and limits', () => {
    expect(request()).toMatchObject({
      Cmd: ['npm', 'start'],
      ExposedPorts: { '3000/tcp': {}, '5432/tcp': {} },
      HostConfig: {
        Init: true,
        Memory: 536_870_912,
        Mounts: [{ ReadOnly: true, Source: '/data', Target: '/data', Type: 'bind' }],
        NanoCpus: 1_500_000_000,
        PortBindings: {
          '3000/tcp': [{ HostIp: '127.0.0.1', HostPort: '' }],
          '5432/tcp': [{ HostIp: '127.0.0.1', HostPort: '20432' }],
        },
      },
      WorkingDir: '/workspace',
      name: 'moat-a',
    })
    expect(request({ command: undefined })).not.toHaveProperty('Cmd')
  })

  it('has no capabilities at all where that is asked for', () => {
    expect(request({ capabilities: 'none', user: { gid: 0, uid: 0 } }).HostConfig).toMatchObject({
      CapAdd: [],
      CapDrop: ['ALL'],
    })
  })

  it('leaves user, home and directory to the image where that is asked for, on every engine', () => {
    for (const [rootless, podman] of [
      [false, false],
      [true, false],
      [true, true],
    ] as const) {
      const { workdir: _, ...rest } = spec
      const asked = containerRequest(
        { ...rest, user: 'image' },
        { podman, remapped: false, rootless, runtimes: [], sealedOff: [], virtual: false },
      )
      expect(asked).not.toHaveProperty('User')
      expect(asked).not.toHaveProperty('WorkingDir')
      expect(asked.Env).toEqual(['KEY=a=b'])
      expect(asked.HostConfig).toMatchObject({ CapDrop: ['ALL'], Tmpfs: {} })
      // Official images make their data's directory theirs, and become somebody else.
      expect(asked.HostConfig?.CapAdd).toEqual(expect.arrayContaining(['CHOWN', 'SETGID', 'SETUID']))
    }
  })

  it('keeps stdin open where that is asked for, without a terminal', () => {
    expect(request()).not.toHaveProperty('OpenStdin')
    expect(request({ openStdin: true })).toMatchObject({ OpenStdin: true })
    expect(request({ openStdin: true })).not.toHaveProperty('StdinOnce')
    expect(request({ interactive: true, openStdin: true })).toMatchObject({
      OpenStdin: true,
      StdinOnce: true,
      Tty: true,
    })
  })

  it('has a program before the command, names that resolve and low ports for everybody, where that is asked for', () => {
    const plain = request()
    expect(plain).not.toHaveProperty('Entrypoint')
    expect(plain.HostConfig).not.toHaveProperty('ExtraHosts')
    expect(plain.HostConfig).not.toHaveProperty('Sysctls')
    const hosts = [{ address: '127.0.0.1', name: 'web.app.localhost' }]
    expect(request({ entrypoint: ['/run/moat/forward', '--'], hosts, unprivilegedPortStart: 0 })).toMatchObject({
      Entrypoint: ['/run/moat/forward', '--'],
      HostConfig: {
        ExtraHosts: ['web.app.localhost:127.0.0.1'],
        Sysctls: { 'net.ipv4.ip_unprivileged_port_start': '0' },
      },
    })
  })

  it('gives a user who is not root a home of their own, unless they have one', () => {
    const tmpfs = { '/home/agent': 'rw,exec,nosuid,nodev,uid=1000,gid=1001,mode=0755' }
    expect(request()).toMatchObject({ Env: ['HOME=/home/agent', 'KEY=a=b'], User: '1000:1001' })
    expect(request().HostConfig?.Tmpfs).toEqual(tmpfs)
    const own = request({ env: { HOME: '/workspace' } })
    expect([own.Env, own.HostConfig?.Tmpfs]).toEqual([['HOME=/workspace'], {}])
    const mounted = request({ mounts: [{ readOnly: false, source: '/h', target: '/home/agent' }] })
    expect([mounted.Env?.[0], mounted.HostConfig?.Tmpfs]).toEqual(['HOME=/home/agent', {}])
  })

  it('has one for everybody on Podman, whose tmpfs has no owner', () => {
    expect(request({}, false, true).HostConfig?.Tmpfs).toEqual({ '/home/agent': 'rw,exec,nosuid,nodev,mode=1777' })
  })

  it('gives root what it takes to install packages, and nobody else on Podman, where they would have it', () => {
    const capabilities = (uid: number, podman: boolean) =>
      request({ user: { gid: uid, uid } }, false, podman).HostConfig?.CapAdd?.length
    expect([capabilities(0, false), capabilities(1000, false), capabilities(0, true)]).toEqual([8, 8, 8])
    expect(capabilities(1000, true)).toBe(0)
  })

  it('is root on a rootless engine, whose root is the invoking user', () => {
    const rootless = request({}, true)
    expect([rootless.User, rootless.Env, rootless.HostConfig?.Tmpfs]).toEqual(['0:0', ['KEY=a=b'], {}])
  })

  it('mounts volumes with their labels, and memory that the user writes', () => {
    const volumes = [{ id: 'moat-a-1', labels: { l: 'x' }, readOnly: true, target: '/home/agent/a/b/c' }]
    const { HostConfig } = request({ mounts: [], tmpfs: ['/workspace/out'], volumes })
    expect(HostConfig?.Mounts).toMatchObject([
      {
        ReadOnly: true,
        Source: 'moat-a-1',
        Target: '/home/agent/a/b/c',
        Type: 'volume',
        VolumeOptions: { Labels: { l: 'x' } },
      },
    ])
    // What lies between is not root's.
    const paths = ['/home/agent', '/home/agent/a', '/home/agent/a/b', '/workspace/out']
    expect(Object.keys(HostConfig?.Tmpfs ?? {})).toEqual(paths)
    expect(new Set(Object.values(HostConfig?.Tmpfs ?? {}))).toEqual(
      new Set(['rw,exec,nosuid,nodev,uid=1000,gid=1001,mode=0755']),
    )
    const atHome = [{ id: 'moat-h-1', labels: {}, readOnly: false, target: '/home/agent' }]
    expect(request({ volumes: atHome }).HostConfig?.Tmpfs).toEqual({})
  })
})
