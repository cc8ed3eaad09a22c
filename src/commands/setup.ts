import { type Finding, isHealthy } from '../doctor/diagnosis.js'
import { setUp } from '../doctor/set-up.js'
import { exitCodes } from '../errors.js'
import { confirm } from '../terminal/confirm.js'
import { formatDiagnosis } from '../terminal/format-diagnosis.js'
import { formatDownload } from '../terminal/format-download.js'
import { Interrupts } from '../terminal/interrupts.js'
import { MoatCommand } from '../terminal/moat-command.js'
import { terminalProgress } from '../terminal/progress.js'
import { runProgram } from '../terminal/run-program.js'
import { terminalColumns } from '../terminal/table.js'

export default class Setup extends MoatCommand {
  static override description = `Fix what moat doctor finds, as far as possible; above all, download Caddy
What needs root is shown, and done only once you agree; without a terminal it is left out. Exits with 1 when a check
still fails.`
  static override enableJsonFlag = true
  static override examples = [
    '<%= config.bin %> setup',
    "MOAT_CADDY_MIRROR='https://mirror.example/caddy-{os}-{arch}' <%= config.bin %> setup",
  ]

  async run(): Promise<{ checks: Omit<Finding, 'repair'>[]; done: string[]; healthy: boolean; left: string[] }> {
    await this.parse(Setup)
    const interrupts = new Interrupts()
    try {
      const { done, findings, left } = await setUp({
        confirm: async (question) => (this.jsonEnabled() ? undefined : confirm(question)),
        connectEngine: () => this.connectEngine({ note: false }),
        describe: formatDownload,
        paths: this.paths,
        progress: terminalProgress(),
        wanted: async () => (await this.proxyOptions()).wanted,
        run: runProgram,
        signal: interrupts.signal,
      })
      this.log(formatDiagnosis(findings, terminalColumns()))
      const healthy = isHealthy(findings)
      if (!healthy) process.exitCode = exitCodes.failure
      return { checks: findings.map(({ repair: _, ...finding }) => finding), done, healthy, left }
    } finally {
      interrupts.release()
    }
  }
}
