import { Args, Flags } from '@oclif/core'
import { chooseAgent } from '../agents/choose-agent.js'
import { type OutputLine, readLines } from '../agents/output-lines.js'
import { streamOutput } from '../agents/stream-output.js'
import type { CommandCompletion } from '../completion/completion-source.js'
import { type AgentEnd, describeEnd } from '../routing/agent-end.js'
import { formatAge } from '../routing/format-age.js'
import { findService } from '../services/find-service.js'
import { MoatCommand } from '../terminal/moat-command.js'
import { watchRequests } from '../terminal/watch-requests.js'

export default class Logs extends MoatCommand {
  static override args = {
    agent: Args.string({ description: "Name or run id; default: this directory's agent, or the only one" }),
  }
  static override completion: CommandCompletion = { agent: 'agents' }
  static override description = `Show what an agent has written, or the requests it gets
With --json, one object with all lines; with -f or --requests too, one object a line, as they come.`
  static override enableJsonFlag = true
  static override examples = [
    '<%= config.bin %> logs dark-mode',
    '<%= config.bin %> logs -f -n 20 dark-mode',
    '<%= config.bin %> logs --requests dark-mode',
  ]
  static override flags = {
    follow: Flags.boolean({ char: 'f', description: 'Follow the log until the agent ends' }),
    requests: Flags.boolean({
      description: 'Record and show requests through the proxy, from now until Ctrl+C',
      exclusive: ['tail'],
    }),
    service: Flags.string({ description: 'Of what runs beside it, such as postgres', exclusive: ['requests'] }),
    tail: Flags.integer({ char: 'n', description: 'Show only the last lines', min: 0 }),
  }

  async run(): Promise<AgentLog | undefined> {
    const { args, flags } = await this.parse(Logs)
    const engine = await this.connectEngine()
    const agent = await chooseAgent((await engine.listAgents()).agents, args.agent, process.cwd())
    const { name, runId } = { ...agent, ...(flags.service !== undefined && { name: flags.service }) }
    const containerId = await findService(engine, agent, flags.service)
    if (flags.requests) {
      await watchRequests(agent, {
        agentEnd: engine.wait(containerId),
        json: this.jsonEnabled(),
        note: (line) => this.logToStderr(line),
        proxy: await this.proxyOptionsAnyway(),
      })
      return undefined
    }
    const tail = flags.tail !== undefined && { tail: flags.tail }
    const output = await engine.sessions.logs(containerId, { follow: flags.follow, ...tail })
    if (!this.jsonEnabled()) {
      await streamOutput(output, process)
      const end = await engine.ends.of(containerId)
      if (end) this.logToStderr(`${name} ended ${formatAge(end.at)}: ${describeEnd(end)}.`)
      return undefined
    }
    const lines: OutputLine[] = []
    const all = readLines(output, (line) => {
      if (flags.follow) process.stdout.write(`${JSON.stringify(line)}\n`)
      else lines.push(line)
    })
    await Promise.race([all, new Promise((gone) => process.stdout.once('error', gone))])
    const end = await engine.ends.of(containerId)
    return flags.follow ? undefined : { ...(end && { end }), lines, name, runId }
  }

  /** What has been written line by line is not followed by another object. */
  protected override logJson(json: unknown): void {
    if (json !== undefined) super.logJson(json)
  }
}

interface AgentLog {
  /** How it ended, if it has. */
  end?: AgentEnd
  lines: OutputLine[]
  name: string
  runId: string
}
