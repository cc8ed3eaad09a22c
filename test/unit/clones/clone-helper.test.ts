// Owns what git works in for a clone: a container that reaches nothing, and is gone afterwards however it goes.
import { PassThrough, Readable } from 'node:stream'
import { expect, it } from 'vitest'
import { NoGitError, withCloneHelper } from '../../../src/clones/clone-helper.js'
import type { ContainerSpec } from '../../../src/engine/engine.js'
import { caught } from '../config/caught.js'

/** An engine whose programs write and end as they are told; `ran` are their arguments. */
function fakeEngine(answer: (args: string[]) => { code?: number; stdout?: Readable }) {
  const ran: string[][] = []
  const removed: string[] = []
  const specs: ContainerSpec[] = []
  const engine = {
    create: async (spec: ContainerSpec) => {
      specs.push(spec)
      return 'helper'
    },
    remove: async (id: string) => {
      removed.push(id)
    },
    sessions: {
      exec: async (_: string, { command }: { command: string[] }) => {
        ran.push(command)
        const { code = 0, stdout = Readable.from([]) } = answer(command)
        const output = { stderr: Readable.from([Buffer.from('said')]), stdout }
        return { exitCode: Promise.resolve(code), output, stdin: new PassThrough().resume() }
      },
    },
    start: async () => {},
    volumes: { ensure: async () => ({ id: 'volume', isNew: false, labels: { a: 'b' } }) },
  }
  const options = {
    engine: engine as never,
    image: 'image',
    signal: new AbortController().signal,
    user: { gid: 7, uid: 8 },
    volume: { name: 'clone.one', place: '/app/.git' },
  }
  return { options, ran, removed, specs }
}

it('has the clone, read-only unless it is to be written, and nothing else', async () => {
  const { options, ran, removed, specs } = fakeEngine(() => ({ stdout: Readable.from([Buffer.from('out')]) }))
  const outcome = await withCloneHelper(options, (git) => git.ask(['status']))
  expect(outcome).toEqual({ code: 0, stderr: 'said', stdout: Buffer.from('out') })
  await withCloneHelper({ ...options, writes: true }, async () => {})
  expect(specs[0]).toMatchObject({
    capabilities: 'none',
    labels: {},
    mounts: [],
    network: 'none',
    ports: [],
    removeAtEnd: true,
    user: { gid: 7, uid: 8 },
    volumes: [{ id: 'volume', readOnly: true, target: '/workspace' }],
  })
  // Neither what stands for a commit nor a parent that was cut off is heeded.
  expect(specs[0]?.env).toMatchObject({ GIT_GRAFT_FILE: '/dev/null', GIT_NO_REPLACE_OBJECTS: '1' })
  expect(specs[1]?.volumes).toMatchObject([{ readOnly: false }])
  const args = ran[1]?.join(' ')
  for (const setting of ['core.fsmonitor=false', 'core.hooksPath=/dev/null', '-C /workspace status'])
    expect(args).toContain(setting)
  expect(removed).toEqual(['helper', 'helper'])
})

it('is gone where there is no git, where work fails, and where a clone says too much', async () => {
  const without = fakeEngine(() => ({ code: 127 }))
  await expect(withCloneHelper(without.options, async () => {})).rejects.toThrow(NoGitError)
  const failing = fakeEngine(() => ({}))
  const fail = withCloneHelper(failing.options, async () => {
    throw new Error('failed')
  })
  await expect(fail).rejects.toThrow('failed')
  const endless = fakeEngine((command) => {
    if (command.includes('version')) return {}
    return { stdout: Readable.from(Array.from({ length: 9 }, () => Buffer.alloc(1024 * 1024))) }
  })
  const error = await caught(() => withCloneHelper(endless.options, (git) => git.ask(['status'])))
  expect(error).toMatchObject({ code: 'CLONE_REFUSED' })
  for (const { removed } of [without, failing, endless]) expect(removed).toEqual(['helper'])
})

it('gives git up that is kept waiting, as by a pipe in the place of HEAD', async () => {
  const { options, removed } = fakeEngine((command) => {
    return command.includes('version') ? {} : { stdout: new PassThrough() }
  })
  const error = await caught(() => withCloneHelper({ ...options, patience: 20 }, (git) => git.ask(['status'])))
  expect(error).toMatchObject({ code: 'CLONE_REFUSED', message: expect.stringContaining('keeps it waiting') })
  expect(removed).toEqual(['helper'])
})

it('ends when it is interrupted', async () => {
  const { options, removed } = fakeEngine(() => ({}))
  const abort = new AbortController()
  const work = withCloneHelper({ ...options, signal: abort.signal }, async () => {
    abort.abort(new Error('interrupted'))
    throw new Error('the container is gone')
  })
  await expect(work).rejects.toThrow('interrupted')
  expect(removed).toEqual(['helper', 'helper'])
})
