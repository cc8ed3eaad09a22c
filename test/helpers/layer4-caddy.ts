// A Caddy with the layer4 module, for tests that need one: the one of MOAT_CADDY if it has it, else the one that scripts/test
// builds before. Where that cannot be, they are left out, and count-tests.mjs says why.
import { existsSync, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'vitest'
import { caddyAbilities } from '../../src/caddy/caddy-abilities.js'
import { findCaddy } from '../../src/caddy/find-caddy.js'
import { moatPaths } from '../../src/config/paths.js'

declare module 'vitest' {
  interface TaskMeta {
    /** Why a test was left out, for count-tests.mjs. */
    leftOut?: string
  }
}

/** Its path, or why there can be none on this machine. Rejects with what to do when there should be one. */
export async function layer4Caddy(env = process.env): Promise<{ missing: string } | { path: string }> {
  const usual = await findCaddy({ env, paths: moatPaths() })
  if (await hasLayer4(usual.path)) return { path: usual.path }
  const { MOAT_LAYER4_CADDY: built } = env
  if (!built) throw new Error('Set MOAT_LAYER4_CADDY to a Caddy with layer4, or run ./scripts/test, which builds one.')
  if (existsSync(built)) return { path: built }
  if (existsSync(`${built}.unavailable`)) return { missing: readFileSync(`${built}.unavailable`, 'utf8').trim() }
  const said = existsSync(`${built}.failed`) ? readFileSync(`${built}.failed`, 'utf8') : `There is no ${built}.`
  throw new Error(`No Caddy with layer4 could be built here:\n${said}`)
}

/** For a test that cannot be without one. */
export function leaveOut({ skip, task }: TestContext, missing: string): void {
  task.meta.leftOut = `No Caddy with layer4: ${missing.split('\n').at(-1)}`
  skip(task.meta.leftOut)
}

export async function hasLayer4(binary: string): Promise<boolean> {
  const directory = await mkdtemp(join(tmpdir(), 'moat-'))
  try {
    return (await caddyAbilities(binary, { caddyAbilities: join(directory, 'abilities') })).layer4
  } finally {
    await rm(directory, { recursive: true })
  }
}
