// Owns the guard of a run as a process: its argument, what it is told and says, its end. bin/guard.js calls it.
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { setTimeout as wait } from 'node:timers/promises'
import { keepCompiledCodeNow } from '../config/compile-cache.js'
import { connectEngine } from '../engine/connect-engine.js'
import type { Engine } from '../engine/engine.js'
import { messageOf } from '../errors.js'
import { isLive } from '../routing/agent.js'
import { raiseAlarm } from './alarms.js'
import { ConfigGuard } from './config-guard.js'
import { type GuardArguments, readyWord } from './guard-arguments.js'
import { InnerWatch } from './inner-watch.js'
import { Stopper } from './stopper.js'

/** The run has found it a moment ago. Milliseconds. */
const patience = 15_000
/** A container that was restarted has ended for a moment; one whose engine is away may go on. Milliseconds. */
const again = { first: 200, longest: 5_000 }
/** How often an ended container is looked for before it is taken for ended. */
const looks = 5

/** Guards until the run's container has ended. Its id comes by stdin, once there is one; none means that there will be none. */
export async function runGuard(argument: string): Promise<void> {
  process.umask(0o077)
  const { engine: address, home, place, runId } = JSON.parse(argument) as GuardArguments
  const log = (message: string) => process.stderr.write(`${new Date().toISOString()} [${process.pid}] ${message}\n`)
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})
  // A terminal that is closed, or Ctrl+C there, ends the run; the guard ends with the container.
  for (const signal of ['SIGHUP', 'SIGINT'] as const) process.on(signal, () => {})
  const env = { ...process.env, DOCKER_HOST: address, MOAT_RUNTIME: '' }
  const engine = await connectEngine({ env, moatHome: home, timeout: patience })
  // What only they can replace who can write in there.
  const written = join(place.commonDir, 'HEAD')
  const agent = new Stopper()
  const options = {
    home,
    log,
    place,
    raise: (said: string) => raiseAlarm(place, home, said),
    whileHeld: (action: (keep: () => void) => Promise<void>) => engine.writers.whileHeld([written], log, action),
  }
  const guards = await Promise.all([ConfigGuard.begin({ ...options, agent }), InnerWatch.begin(options)])
  process.stdout.write(readyWord)
  keepCompiledCodeNow()
  const containerId = (await text(process.stdin)).trim()
  if (containerId !== '') {
    void agent.attach(containerId).catch((error) => log(messageOf(error)))
    await ended(engine, containerId, runId, log)
  }
  await Promise.all(guards.map((guard) => guard.close()))
  agent.close()
}

/** Resolves when the container is gone, or has ended for longer than it takes to restart one. */
async function ended(engine: Engine, containerId: string, runId: string, log: (message: string) => void) {
  let pause = again.first
  for (let missed = 0; missed < looks; ) {
    try {
      await engine.wait(containerId).catch((error) => log(messageOf(error)))
      const { agents } = await engine.listAgents()
      const found = agents.find((agent) => agent.runId === runId)
      if (!found) return
      missed = isLive(found) ? 0 : missed + 1
      pause = again.first
    } catch (error) {
      log(messageOf(error))
      pause = Math.min(pause * 2, again.longest)
    }
    await wait(pause)
  }
}
