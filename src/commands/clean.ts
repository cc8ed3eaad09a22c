import { Flags } from '@oclif/core'
import { findLeftovers, type Leftovers, removeLeftovers } from '../agents/clean.js'
import { exitCodes, MoatError } from '../errors.js'
import { confirm } from '../terminal/confirm.js'
import { formatBytes } from '../terminal/format-bytes.js'
import { describeKept } from '../terminal/format-volumes.js'
import { MoatCommand } from '../terminal/moat-command.js'

export default class Clean extends MoatCommand {
  static override description = 'Remove ended agents, and unused images and networks that moat made'
  static override enableJsonFlag = true
  static override flags = {
    'dry-run': Flags.boolean({ description: 'Only show what would be removed' }),
    force: Flags.boolean({ char: 'f', description: 'Do not ask' }),
  }

  async run(): Promise<Leftovers & { removed: boolean }> {
    const { flags } = await this.parse(Clean)
    const engine = await this.connectEngine()
    const leftovers = await findLeftovers(engine)
    const { agents, images, networks, services } = leftovers
    const none = [agents, images, networks, services].every((some) => some.length === 0)
    if (none) this.log('Nothing to remove.')
    if (leftovers.volumes.length > 0) this.logToStderr(describeKept(leftovers.volumes))
    for (const { name, runId, state } of agents) this.log(`agent  ${name} (${runId}), ${state}`)
    for (const { name, runId } of services) this.log(`service  ${name} of ${runId}`)
    for (const { size, tag } of images) this.log(`image  ${tag}, ${formatBytes(size)}`)
    for (const name of networks) this.log(`network  ${name}`)
    if (none || flags['dry-run']) return { ...leftovers, removed: false }
    if (!flags.force && !(await this.#confirmed())) return { ...leftovers, removed: false }
    await removeLeftovers(engine, leftovers, this.tellGone())
    this.log('Removed.')
    return { ...leftovers, removed: true }
  }

  async #confirmed(): Promise<boolean> {
    const agreed = this.jsonEnabled() ? undefined : await confirm('Remove them?')
    if (agreed !== undefined) return agreed
    throw new MoatError('USAGE', 'Without a terminal, moat clean does not ask and removes nothing.', {
      exit: exitCodes.usage,
      suggestions: ['moat clean --force', 'moat clean --dry-run'],
    })
  }
}
