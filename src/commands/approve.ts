import { Args, Flags } from '@oclif/core'
import { planAgent } from '../agents/plan/plan-agent.js'
import { type ApprovalRecord, listApprovals } from '../approvals/records.js'
import type { CommandCompletion } from '../completion/completion-source.js'
import { loadSettings } from '../config/settings.js'
import { shellQuote } from '../config/shell-quote.js'
import { visible } from '../config/visible.js'
import { type ApprovalOutcome, askApproval } from '../terminal/approval-session.js'
import { formatApprovals, formatPowers } from '../terminal/format-powers.js'
import { askGitApproval, type GitApproval } from '../terminal/git-approval-session.js'
import { MoatCommand } from '../terminal/moat-command.js'
import { revokeAll } from '../terminal/revoke-all.js'

type Outcome = ApprovalOutcome | GitApproval | { approvals: ApprovalRecord[] } | { path: string; revoked: boolean }

export default class Approve extends MoatCommand {
  static override args = {
    path: Args.string({ default: '.', description: 'Directory with a moat.yaml' }),
  }
  static override completion: CommandCompletion = { path: 'directories' }
  static override description = 'Allow what the moat.yaml of a directory asks for beyond its container'
  static override enableJsonFlag = true
  static override examples = [
    '<%= config.bin %> approve ./my-app',
    '<%= config.bin %> approve --list',
    '<%= config.bin %> approve --revoke ./my-app',
    '<%= config.bin %> approve --git ./my-app',
  ]
  static override flags = {
    git: Flags.boolean({ description: 'Let be what was put back in its git config', exclusive: ['list', 'revoke'] }),
    list: Flags.boolean({ description: 'Show what you have allowed in all directories', exclusive: ['revoke', 'yes'] }),
    revoke: Flags.boolean({ description: 'Forget what you have allowed this directory', exclusive: ['yes'] }),
    yes: Flags.boolean({ char: 'y', description: 'Allow it without asking' }),
  }

  async run(): Promise<Outcome> {
    const { args, flags } = await this.parse(Approve)
    if (flags.list) return this.#list()
    if (flags.revoke) return this.#revoke(args.path)
    if (flags.git) return this.#git(args.path, flags.yes)
    const { wanted } = await this.proxyOptions()
    // Nothing is started, so no port need be free.
    const { policy } = (await loadSettings(this.paths.configFile)).network
    const request = {
      ...(policy && { defaultPolicy: policy }),
      isFree: async () => true,
      env: {},
      mounts: [],
      path: args.path,
    }
    const plan = await planAgent(request, this.plugins, wanted.domain)
    const commands = [`moat approve --yes ${shellQuote(args.path)}`]
    const outcome = await askApproval(plan, { ask: !this.jsonEnabled(), commands, paths: this.paths, yes: flags.yes })
    if (flags.yes) for (const line of formatPowers(outcome.approved)) this.log(line)
    this.log(outcome.approved.length > 0 ? 'Allowed.' : `${plan.displayFile} asks for nothing that is not allowed.`)
    return outcome
  }

  async #git(path: string, yes: boolean): Promise<Outcome> {
    const { list, ...outcome } = await askGitApproval(path, { ask: !this.jsonEnabled(), paths: this.paths, yes })
    for (const line of yes ? list : []) this.log(line)
    this.log(list.length > 0 ? 'Set again, and let be from now on.' : 'Nothing of its git config was put back.')
    return outcome
  }

  async #list(): Promise<Outcome> {
    const approvals = await listApprovals(this.paths.approvals)
    for (const line of formatApprovals(approvals)) this.log(line)
    if (approvals.length === 0) this.logToStderr('Nothing has been allowed.')
    return { approvals }
  }

  async #revoke(path: string): Promise<Outcome> {
    const outcome = await revokeAll(path, this.paths)
    this.log(`${visible(outcome.path)} ${outcome.revoked ? 'is no longer' : 'was not'} allowed anything.`)
    return outcome
  }
}
