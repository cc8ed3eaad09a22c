// Owns that a guard's agent is stopped and goes on as it was, and that a guard which is killed leaves nobody stopped.
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { Stopper } from '../../../src/guard/stopper.js'
import { until } from '../../helpers/until.js'

let directory: string
let file: string
let agent: ChildProcess
let stopper: Stopper

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'moat-stopper-'))
  file = join(directory, 'cgroup.procs')
  agent = spawn('sleep', ['1000'], { stdio: 'ignore' })
  writeFileSync(file, `${agent.pid}\n`)
  stopper = new Stopper()
})
afterEach(() => {
  stopper.close()
  agent.kill('SIGKILL')
  rmSync(directory, { force: true, recursive: true })
})

const isStopped = () => / T /.test(readFileSync(`/proc/${agent.pid}/stat`, 'utf8'))

it.runIf(process.platform === 'linux')('stops and lets go on, as often as it is told', async () => {
  const waker = stopper.attachTo(file)
  for (let round = 0; round < 3; round += 1) {
    stopper.stop()
    stopper.stop()
    await until('a stop', isStopped)
    stopper.goOn()
    await until('going on', () => !isStopped())
  }
  // One that stopped by itself meanwhile stays as it is when the guard ends.
  agent.kill('SIGSTOP')
  await until('a stop of its own', isStopped)
  stopper.close()
  await until('the end of the waker', () => waker.exitCode === 0)
  expect(isStopped()).toBe(true)
})

it.runIf(process.platform === 'linux')('has the agent go on when the guard is no more', async () => {
  const waker = stopper.attachTo(file)
  stopper.stop()
  await until('a stop', isStopped)
  // As the system does with what a killed process had open.
  waker.stdin?.destroy()
  await until('going on', () => !isStopped())
})

it('stops nobody whom it does not know', () => {
  stopper.stop()
  stopper.goOn()
  expect(agent.killed).toBe(false)
})
