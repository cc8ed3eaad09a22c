// Owns finding a Caddy that is new enough, and saying where it was looked for.
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { access, constants } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import { startAsInvokingUser } from '../config/invoking-user.js'
import { isNewEnough } from '../config/is-new-enough.js'
import type { MoatPaths } from '../config/paths.js'
import { MoatError, messageOf, systemCode } from '../errors.js'

/** The oldest Caddy whose WebSockets survive a config change. */
export const minimumVersion = (
  JSON.parse(readFileSync(new URL('../../caddy/version.json', import.meta.url), 'utf8')) as { minimum: string }
).minimum

export interface CaddyBinary {
  path: string
  version: string
}

export interface FindCaddyOptions {
  env: NodeJS.ProcessEnv
  paths: Pick<MoatPaths, 'bin'>
  platform?: NodeJS.Platform
}

/** MOAT_CADDY, else ~/.moat/bin/caddy, else the first on PATH that is new enough. The first two are never passed over. */
export async function findCaddy({ env, paths, platform = process.platform }: FindCaddyOptions): Promise<CaddyBinary> {
  const suggestions = remedies(platform)
  if (env.MOAT_CADDY) {
    return check(env.MOAT_CADDY, 'MOAT_CADDY', ['unset MOAT_CADDY && moat setup', 'MOAT_CADDY=/path/to/caddy moat run'])
  }
  const own = join(paths.bin, 'caddy')
  if (await exists(own)) return check(own, own, suggestions)
  const rejected = [`${own}: no such file`]
  let tooOld: MoatError | undefined
  for (const directory of (env.PATH ?? '').split(delimiter).filter(Boolean)) {
    const path = join(directory, 'caddy')
    if (!(await exists(path))) continue
    try {
      return await check(path, path, suggestions)
    } catch (error) {
      if (error instanceof MoatError && error.code === 'CADDY_TOO_OLD') tooOld ??= error
      rejected.push(`${path}: ${messageOf(error)}`)
    }
  }
  if (tooOld) throw tooOld
  if (rejected.length === 1) rejected.push('caddy: not on PATH')
  throw new MoatError('CADDY_MISSING', `Caddy ${minimumVersion} or newer was not found.\n  ${rejected.join('\n  ')}`, {
    suggestions,
  })
}

/** `2.11.4` (Debian), `v2.11.4 h1:…` (official builds) or anything with such a number first. */
export function parseVersion(output: string): string | undefined {
  return /^v?(\d+\.\d+\.\d+)/.exec(output.trim())?.[1]
}

/** The Caddy at `path`, if it runs and is new enough. Rejects with CADDY_MISSING or CADDY_TOO_OLD. */
export async function checkCaddy(path: string): Promise<CaddyBinary> {
  return check(path, path, [])
}

async function check(path: string, origin: string, suggestions: string[]): Promise<CaddyBinary> {
  const named = origin === path ? path : `${path} (from ${origin})`
  let output: string
  try {
    const version = startAsInvokingUser((ids) => promisify(execFile)(path, ['version'], { ...ids, timeout: 10_000 }))
    output = (await version).stdout
  } catch (error) {
    throw new MoatError('CADDY_MISSING', `Caddy at ${named} does not run: ${reasonOf(error)}.`, {
      cause: error,
      suggestions,
    })
  }
  const version = parseVersion(output)
  if (version === undefined) {
    throw new MoatError('CADDY_MISSING', `${named} is not Caddy: it says "${output.trim().slice(0, 60)}".`, {
      suggestions,
    })
  }
  if (isNewEnough(version, minimumVersion)) return { path, version }
  throw new MoatError(
    'CADDY_TOO_OLD',
    `Caddy ${version} at ${named} is too old: moat needs ${minimumVersion} or newer, because older ones drop WebSockets when an agent starts.`,
    { suggestions },
  )
}

function reasonOf(error: unknown): string {
  const code = systemCode(error)
  if (code === 'ENOENT') return 'no such file'
  if (code === 'EACCES') return 'it may not be executed'
  return messageOf(error).split('\n')[0] ?? 'no reason given'
}

function remedies(platform: NodeJS.Platform): string[] {
  const install = platform === 'darwin' ? ['brew install caddy'] : []
  return ['moat setup', ...install, 'MOAT_CADDY=/path/to/caddy moat run']
}

async function exists(path: string): Promise<boolean> {
  return access(path, constants.F_OK).then(
    () => true,
    () => false,
  )
}
