// Prepares `moat plugins`: a directory only this user can read, and `install` told where a local file is.
import { mkdir } from 'node:fs/promises'
import type { Hook } from '@oclif/core'
import { resolveLocalPlugin } from '../plugins/local-plugin.js'

const hook: Hook.Prerun = async ({ argv, Command, config }) => {
  if (!/^plugins(:|$)/.test(Command.id)) return
  await mkdir(config.dataDir, { mode: 0o700, recursive: true })
  if (Command.id !== 'plugins:install') return
  // The command reads this very array, later.
  argv.splice(0, argv.length, ...(await Promise.all(argv.map((word) => resolveLocalPlugin(word)))))
}

export default hook
