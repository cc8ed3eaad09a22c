// A Caddy with the layer4 module, for tests that need one: the one of MOAT_CADDY if it has it, else the one that scripts/test
// builds beside the other tests, which these wait for.
import { existsSync, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { caddyAbilities } from '../../src/caddy/caddy-abilities.js'
import { findCaddy } from '../../src/caddy/find-caddy.js'
import { moatPaths } from '../../src/config/paths.js'

/** On two cores that run tests meanwhile it takes five minutes. Milliseconds. */
export const buildDeadline = 900_000

/** Its path. Rejects with what to do when there is none, and none comes. */
export async function layer4Caddy(env = process.env): Promise<string> {
  const usual = await findCaddy({ env, paths: moatPaths() })
  if (await hasLayer4(usual.path)) return usual.path
  const { MOAT_LAYER4_CADDY: built } = env
  if (!built) throw new Error('Set MOAT_LAYER4_CADDY to a Caddy with layer4, or run ./scripts/test, which builds one.')
  const begun = performance.now()
  let told = begun
  while (performance.now() < begun + buildDeadline) {
    if (performance.now() > told + 15_000) {
      told = performance.now()
      process.stderr.write(`Waiting for the build of Caddy with layer4 (${Math.round((told - begun) / 1000)} s)\n`)
    }
    // Renamed into place when it is whole.
    if (existsSync(built)) return built
    if (existsSync(`${built}.failed`))
      throw new Error(`No Caddy with layer4 could be built here:\n${readFileSync(`${built}.failed`, 'utf8')}`)
    await new Promise((resolve) => setTimeout(resolve, 500))
  }
  throw new Error(`The build of a Caddy with layer4 has not ended within ${buildDeadline / 60_000} minutes.`)
}

export async function hasLayer4(binary: string): Promise<boolean> {
  const directory = await mkdtemp(join(tmpdir(), 'moat-'))
  try {
    return (await caddyAbilities(binary, { caddyAbilities: join(directory, 'abilities') })).layer4
  } finally {
    await rm(directory, { recursive: true })
  }
}
