import { realpathSync } from 'node:fs'
import { Args, Flags } from '@oclif/core'
import type { CommandCompletion } from '../../completion/completion-source.js'
import { shellQuote } from '../../config/shell-quote.js'
import { exitCodes, MoatError } from '../../errors.js'
import { MoatCommand } from '../../terminal/moat-command.js'
import { removeVolumesSession } from '../../terminal/remove-volumes-session.js'
import { assertUnused, chooseVolumes, type VolumeView, viewVolumes } from '../../volumes/find-volumes.js'

export default class VolumesRemove extends MoatCommand {
  static override args = {
    volume: Args.string({
      description: "Names of this directory's volumes, or of any, as moat volumes list shows them",
    }),
  }
  static override completion: CommandCompletion = { volume: 'volumes' }
  static override description = 'Remove volumes and what is in them; one that a container has is kept'
  static override enableJsonFlag = true
  static override examples = [
    '<%= config.bin %> volumes rm node-modules',
    '<%= config.bin %> volumes rm moat-node-modules-1a2b3c4d5e6f --force',
  ]
  static override flags = { force: Flags.boolean({ char: 'f', description: 'Do not ask' }) }
  static override strict = false
  static override usage = 'volumes rm VOLUME... [-f]'

  async run(): Promise<{ removed: VolumeView[] }> {
    const { argv, flags } = await this.parse(VolumesRemove)
    const names = argv as string[]
    if (names.length === 0) {
      throw new MoatError('USAGE', 'moat volumes rm needs the name of a volume.', {
        exit: exitCodes.usage,
        suggestions: ['moat volumes list', 'moat volumes prune'],
      })
    }
    const engine = await this.connectEngine()
    const chosen = chooseVolumes(await viewVolumes(engine), names, realpathSync(process.cwd()))
    assertUnused(chosen)
    const removed = await removeVolumesSession(engine, chosen, {
      command: `moat volumes rm ${names.map(shellQuote).join(' ')} --force`,
      force: flags.force,
      json: this.jsonEnabled(),
      log: (line) => this.log(line),
    })
    return { removed }
  }
}
