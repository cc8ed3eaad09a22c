// Owns how moat sets oclif and the npm it runs up, mostly through environment variables: files go under ~/.moat,
// like everything else of moat's.
import { homedir } from 'node:os'
import { join } from 'node:path'
import { settings } from '@oclif/core/settings'
import { moatHome } from './moat-home.js'

/** Where plugins are installed: a package.json that lists them, and their node_modules. */
export function pluginDirectory(env: NodeJS.ProcessEnv = process.env, userHome: string = homedir()): string {
  return join(moatHome(env, userHome), 'plugins')
}

/** Overrides what the directories' variables said before, and XDG's: only then do plugins follow MOAT_HOME. */
export function setUpOclif(env: NodeJS.ProcessEnv = process.env): void {
  const home = moatHome(env)
  env.MOAT_CACHE_DIR = join(home, 'cache')
  env.MOAT_CONFIG_DIR = home
  env.MOAT_DATA_DIR = pluginDirectory(env)
  // Without it oclif asks the password database, in which a user need not stand.
  env.SHELL ||= '/bin/sh'
  // Else each command says of each linked plugin that TypeScript in it would have to be compiled.
  settings.enableAutoTranspile = false
}

/** npm by itself tries for more than a minute before it says that there is no network. */
export function makeNpmGiveUpSoon(env: NodeJS.ProcessEnv = process.env): void {
  env.npm_config_fetch_retries ??= '1'
  env.npm_config_fetch_retry_mintimeout ??= '500'
  env.npm_config_fetch_retry_maxtimeout ??= '2000'
}
