// Owns that only this user's own processes are taken for gates: nothing in a container, whatever it calls itself.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { ownGates } from '../../../src/gate/own-gates.js'
import { findProcesses } from '../../../src/processes/process-facts.js'
import { until } from '../../helpers/until.js'
import { temporaryDirectory } from '../config/temp-directory.js'

const children: ChildProcess[] = []
afterEach(() => {
  for (const child of children.splice(0)) if (child.pid) process.kill(-child.pid, 'SIGKILL')
})

async function start(before: readonly string[]) {
  const home = await temporaryDirectory()
  const program = join(home, 'bin', 'gate.js')
  await mkdir(join(home, 'bin'))
  await writeFile(program, 'setInterval(() => {}, 1000)')
  const [command = '', ...rest] = [...before, process.execPath, program, home, 'an-id']
  children.push(spawn(command, rest, { detached: true, stdio: 'ignore' }))
  await until('its process', async () => {
    const found = await findProcesses(home)
    return found.some(({ command: [first] }) => first === process.execPath)
  })
  return home
}

it('a process of this machine is found', async () => {
  expect(await ownGates(await start([]))).toHaveLength(1)
})

/** As a container has it: processes with numbers of their own, of the same user. */
const apart = ['unshare', '--user', '--pid', '--fork']
const canBeApart = spawnSync('unshare', [...apart.slice(1), 'true']).status === 0

it.skipIf(!canBeApart)('one of a container is not, with the same user and the same words', async () => {
  const home = await start(apart)
  const found = (await ownGates(home)).filter(({ command }) => command[0] !== 'unshare')
  expect(found).toEqual([])
})
