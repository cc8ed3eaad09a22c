import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { afterEach, describe, expect, it } from 'vitest'
import { endsWithArguments, findProcesses, parsePs, readProcess } from '../../../src/processes/process-facts.js'
import { hasEnded, isRunning, signalProcess } from '../../../src/processes/same-process.js'

const children: ReturnType<typeof spawn>[] = []
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
})

function start(...args: string[]) {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)', ...args], { stdio: 'ignore' })
  children.push(child)
  return child
}

describe('a process', () => {
  it('is known by its number and its start: another one with its number is sent nothing', async () => {
    const child = start()
    const facts = await readProcess(child.pid ?? 0)
    if (!facts) throw new Error('no facts')
    expect(await isRunning(facts)).toBe(true)
    const earlier = { ...facts, startedAt: facts.startedAt - 1 }
    expect(await isRunning(earlier)).toBe(false)
    expect(await signalProcess(earlier, 'SIGKILL')).toBe(false)
    expect(await hasEnded(facts, 0)).toBe(false)
    const exited = once(child, 'exit')
    expect(await signalProcess(facts, 'SIGKILL')).toBe(true)
    await exited
    expect(await hasEnded(facts, 1_000)).toBe(true)
    expect(await readProcess(facts.pid)).toBeUndefined()
  })

  it('is found by what it was called with', async () => {
    const mark = `mark-${process.pid}`
    const child = start(mark, 'a', 'b c')
    const found = (await findProcesses(mark)).filter(({ pid }) => pid === child.pid)
    expect(found).toHaveLength(1)
    expect(found[0]).toMatchObject({ pid: child.pid, uid: process.geteuid?.() })
    const [one] = found
    expect(one && endsWithArguments(one, ['a', 'b c'])).toBe(true)
    expect(one && endsWithArguments(one, ['a'])).toBe(false)
  })

  it.each([0, -1, 1.5, Number.NaN, 2 ** 31])('with the number %s is none', async (pid) => {
    expect(await readProcess(pid)).toBeUndefined()
  })
})

describe('the lines of ps', () => {
  it('are processes, but for those that have ended', () => {
    const lines = `  501   501 S    Sat Nov  7 09:05:01 2026     /opt/caddy run --config - --pidfile /Users/ann/.moat/proxy/caddy.pid
  502   501 Z    Sat Nov 28 09:05:01 2026     (caddy)
`
    const found = parsePs(lines)
    expect(found).toMatchObject([{ pid: 501, startedAt: Date.parse('2026-11-07 09:05:01'), uid: 501 }])
    expect(endsWithArguments(found[0] ?? { command: '' }, ['--pidfile', '/Users/ann/.moat/proxy/caddy.pid'])).toBe(true)
  })
})
