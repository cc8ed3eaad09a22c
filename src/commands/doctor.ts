import { type Finding, isHealthy } from '../doctor/diagnosis.js'
import { examine } from '../doctor/examine.js'
import { exitCodes } from '../errors.js'
import { formatDiagnosis } from '../terminal/format-diagnosis.js'
import { MoatCommand } from '../terminal/moat-command.js'
import { terminalColumns } from '../terminal/table.js'

export default class Doctor extends MoatCommand {
  static override description = `Check what moat needs on this machine, and say how to fix what is wrong
Exits with 1 when a check fails; warnings do not count. It changes nothing; moat setup does.`
  static override enableJsonFlag = true
  static override examples = ['<%= config.bin %> doctor', '<%= config.bin %> doctor --json']

  async run(): Promise<{ checks: Omit<Finding, 'repair'>[]; healthy: boolean }> {
    await this.parse(Doctor)
    const findings = await examine({
      connectEngine: () => this.connectEngine({ note: false }),
      paths: this.paths,
      wanted: async () => (await this.proxyOptions()).wanted,
    })
    this.log(formatDiagnosis(findings, terminalColumns()))
    const healthy = isHealthy(findings)
    if (!healthy) process.exitCode = exitCodes.failure
    return { checks: findings.map(({ repair: _, ...finding }) => finding), healthy }
  }
}
