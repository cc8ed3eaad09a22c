// Owns the guard of a run as a process: its argument, what it is told and says, its end. bin/guard.js calls it.
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { keepCompiledCodeNow } from '../config/compile-cache.js'
import { connectEngine } from '../engine/connect-engine.js'
import { runEnded } from '../engine/run-ended.js'
import { messageOf } from '../errors.js'
import { raiseAlarm } from './alarms.js'
import { ConfigGuard } from './config-guard.js'
import { type GuardArguments, readyWord } from './guard-arguments.js'
import { InnerWatch } from './inner-watch.js'
import { Stopper } from './stopper.js'

/** The run has found it a moment ago. Milliseconds. */
const patience = 15_000

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
    await runEnded(engine, containerId, runId, log)
  }
  await Promise.all(guards.map((guard) => guard.close()))
  agent.close()
}
