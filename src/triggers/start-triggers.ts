// Owns the start of the process that takes snapshots while an agent works: one of its own, as the run may be detached, and an attached one
// may be killed.
import { spawn } from 'node:child_process'
import { closeSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startAsInvokingUser } from '../config/invoking-user.js'
import { openLog } from '../config/open-log.js'
import type { TriggerArguments } from './trigger-arguments.js'

/** It lives as long as its agent, mostly idle. */
const thrifty = ['--max-semi-space-size=1']
const program = fileURLToPath(new URL('../../bin/triggers.js', import.meta.url))

/** Resolves once it runs. */
export async function startTriggers(args: TriggerArguments): Promise<void> {
  const output = openLog(join(args.paths.home, 'snapshots.log'))
  try {
    const child = startAsInvokingUser((ids) =>
      spawn(process.execPath, [...thrifty, program, JSON.stringify(args)], {
        cwd: '/',
        detached: true,
        stdio: ['ignore', 'ignore', output],
        ...ids,
      }),
    )
    await new Promise<void>((resolve, reject) => child.once('spawn', resolve).once('error', reject))
    child.unref()
  } finally {
    closeSync(output)
  }
}
