// Says which command was probably meant. On a terminal oclif's plugin asks whether to run that one.
import type { Hook, Interfaces } from '@oclif/core'
import { exitCodes, isOclifError } from '../errors.js'
import { nearestCommand, unknownCommand } from '../terminal/unknown-command.js'

const hook: Hook.CommandNotFound = async function (options) {
  const nearest = nearestCommand(options.id, options.config)
  const terminal = process.stdin.isTTY && process.stderr.isTTY
  if (!nearest?.isCommand || !terminal) throw unknownCommand(options.id, options.config)
  const { default: ask } = await import('@oclif/plugin-not-found')
  try {
    return await ask.call(this, { ...options, argv: nearest.rest, config: only(options.config, nearest.id) })
  } catch (error) {
    // Its exit code for "no, thanks".
    if (isOclifError(error) && error.oclif.exit === 127) error.oclif.exit = exitCodes.usage
    throw error
  }
}

/** Left with a choice, the plugin takes the fewest edits: `proxy start` for `proxy stat`. */
function only(config: Interfaces.Config, id: string): Interfaces.Config {
  const commands = config.commands.filter((command) => command.id === id)
  return Object.create(config, {
    commandIDs: { value: [id] },
    commands: { value: commands.map((command) => ({ ...command, aliases: [] })) },
  }) as Interfaces.Config
}

export default hook
