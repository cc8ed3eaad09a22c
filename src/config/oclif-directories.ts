// Owns where oclif keeps what it writes (plugins, above all): under ~/.moat like everything else of moat's.
import { homedir } from 'node:os'
import { join } from 'node:path'
import { moatHome } from './moat-home.js'

export interface OclifDirectories {
  cacheDir: string
  configDir: string
  /** Installed plugins: a package.json that lists them, and their node_modules. */
  dataDir: string
}

export function oclifDirectories(env: NodeJS.ProcessEnv = process.env, userHome: string = homedir()): OclifDirectories {
  const home = moatHome(env, userHome)
  return { cacheDir: join(home, 'cache'), configDir: home, dataDir: join(home, 'plugins') }
}

/**
 * Makes oclif use them, through the variables it reads. What they said before, and what XDG's say, does not count: only
 * then do plugins follow MOAT_HOME.
 */
export function setOclifDirectories(env: NodeJS.ProcessEnv = process.env): void {
  const { cacheDir, configDir, dataDir } = oclifDirectories(env)
  env.MOAT_CACHE_DIR = cacheDir
  env.MOAT_CONFIG_DIR = configDir
  env.MOAT_DATA_DIR = dataDir
}
