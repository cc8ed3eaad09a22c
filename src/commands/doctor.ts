import { Args } from '@oclif/core'
import { planAgent } from '../agents/plan/plan-agent.js'
import type { CommandCompletion } from '../completion/completion-source.js'
import { type Finding, isHealthy } from '../doctor/diagnosis.js'
import { examine } from '../doctor/examine.js'
import { exitCodes } from '../errors.js'
import { formatDiagnosis } from '../terminal/format-diagnosis.js'
import { MoatCommand } from '../terminal/moat-command.js'
import { terminalColumns } from '../terminal/table.js'

export default class Doctor extends MoatCommand {
  static override args = {
    path: Args.string({ description: 'Directory of a project, to see also what moat run sets for its frameworks' }),
  }
  static override completion: CommandCompletion = { path: 'directories' }
  static override description = `Check what moat needs on this machine, and say how to fix what is wrong
Exits with 1 when a check fails; warnings do not count. It changes nothing; moat setup does.`
  static override enableJsonFlag = true
  static override examples = [
    '<%= config.bin %> doctor',
    '<%= config.bin %> doctor ./my-app',
    '<%= config.bin %> doctor --json',
  ]

  async run(): Promise<{ checks: Omit<Finding, 'repair'>[]; healthy: boolean }> {
    const { path } = (await this.parse(Doctor)).args
    // Nothing is started, so no port need be free.
    const request = (project: string) => ({ env: {}, isFree: async () => true, mounts: [], path: project })
    const plan = (project: string) => (domain: string) => planAgent(request(project), this.plugins, domain)
    const findings = await examine({
      connectEngine: () => this.connectEngine({ note: false }),
      paths: this.paths,
      ...(path !== undefined && { project: { path, plan: plan(path) } }),
      wanted: async () => (await this.proxyOptions()).wanted,
    })
    this.log(formatDiagnosis(findings, terminalColumns()))
    const healthy = isHealthy(findings)
    if (!healthy) process.exitCode = exitCodes.failure
    return { checks: findings.map(({ repair: _, ...finding }) => finding), healthy }
  }
}
