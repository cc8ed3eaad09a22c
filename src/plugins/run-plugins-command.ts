// Owns what is around `moat plugins …`, a command of oclif's: whose rights it has, what a failure leaves, what it says.
import { stayInvokingUser } from '../config/invoking-user.js'
import { makeNpmGiveUpSoon, pluginDirectory } from '../config/oclif-settings.js'
import { explainPluginError } from './explain-error.js'
import { rememberPlugins } from './undo-install.js'
import { writeManifests } from './write-manifests.js'

/** True for `plugins install …` and for `plugins:install …`, which oclif takes too. */
export function isPluginsCommand(argv: readonly string[]): boolean {
  return /^plugins(:|$)/.test(argv[0] ?? '')
}

/** Runs the command through `run`, in its environment. */
export async function runPluginsCommand<T>(argv: readonly string[], run: () => Promise<T>): Promise<T> {
  // npm, and the scripts of the packages it installs, must not find root's rights within reach.
  stayInvokingUser()
  makeNpmGiveUpSoon()
  const undo = await rememberPlugins(pluginDirectory())
  try {
    const result = await run()
    // With --json, oclif prints the error and does not throw it.
    if (process.exitCode) await undo()
    else await writeManifests(pluginDirectory())
    return result
  } catch (error) {
    await undo()
    throw explainPluginError(error, argv)
  }
}
