import { Args, Flags } from '@oclif/core'
import { logOf } from '../../agents/network/network-log.js'
import type { CommandCompletion } from '../../completion/completion-source.js'
import type { NetworkLogEntry } from '../../egress/policy.js'
import { followNetworkLog } from '../../terminal/follow-network-log.js'
import { formatLogEntry } from '../../terminal/format-network.js'
import { MoatCommand } from '../../terminal/moat-command.js'

export default class NetworkLog extends MoatCommand {
  static override args = {
    agent: Args.string({ description: 'Name or run id, also of an agent that is gone; default: all' }),
  }
  static override completion: CommandCompletion = { agent: 'agents' }
  static override description = `Show what agents have reached, and what they were kept from
Of agents with a policy: what others send does not come by moat. With --json, one object with all entries; with -f too, one object a line, as they come.`
  static override enableJsonFlag = true
  static override examples = [
    '<%= config.bin %> network log my-app',
    '<%= config.bin %> network log -f',
    '<%= config.bin %> network log --blocked my-app',
  ]
  static override flags = {
    blocked: Flags.boolean({ description: 'Only what was refused' }),
    follow: Flags.boolean({ char: 'f', description: 'Keep showing new entries, until Ctrl+C' }),
    tail: Flags.integer({ char: 'n', description: 'Show only the last entries', min: 0 }),
  }

  async run(): Promise<{ entries: NetworkLogEntry[] } | undefined> {
    const { args, flags } = await this.parse(NetworkLog)
    const agents = async () => (await (await this.connectEngine({ note: false })).listAgents()).agents
    const all = await logOf(args.agent, agents, this.paths)
    const wanted = (entry: NetworkLogEntry) => !flags.blocked || entry.verdict === 'blocked'
    const found = all.entries.filter(wanted)
    const entries = flags.tail === undefined ? found : found.slice(Math.max(0, found.length - flags.tail))
    const lines = flags.follow && this.jsonEnabled()
    const show = (entry: NetworkLogEntry) => {
      if (lines) process.stdout.write(`${JSON.stringify(entry)}\n`)
      else this.log(formatLogEntry(entry))
    }
    if (flags.follow || !this.jsonEnabled()) entries.forEach(show)
    if (!flags.follow) {
      if (entries.length === 0) this.logToStderr('Nothing has been written down.')
      return { entries }
    }
    await followNetworkLog(all.more, (entry) => {
      if (wanted(entry)) show(entry)
    })
    return undefined
  }

  /** What has been written line by line is not followed by another object. */
  protected override logJson(json: unknown): void {
    if (json !== undefined) super.logJson(json)
  }
}
