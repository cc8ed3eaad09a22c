// Owns a run as a person sees it: progress, the URLs, then the agent's output or its terminal, until it ends.
import { endedAtOnce } from '../agents/ended-at-once.js'
import { followAgent } from '../agents/follow-agent.js'
import { MissingCommand, missingCommandCode, missingCommandHint } from '../agents/missing-command.js'
import { tellRefusals } from '../agents/network/tell-refusals.js'
import type { AgentPlan } from '../agents/plan/plan-agent.js'
import { describeLines } from '../agents/plan/proxy-trust.js'
import { describeRefusedHost } from '../agents/plan/refused-host.js'
import { PortClash } from '../agents/port-clash.js'
import { type StartedAgent, startAgent } from '../agents/start-agent.js'
import type { TellGone } from '../agents/tell-gone.js'
import { trustHint } from '../authority/trust-hint.js'
import { hostUser } from '../config/invoking-user.js'
import type { MoatPaths } from '../config/paths.js'
import { isOpen } from '../egress/effective-policy.js'
import type { Engine } from '../engine/engine.js'
import { exitCodes, MoatError } from '../errors.js'
import type { Providers } from '../grants/providers.js'
import { followAlarms } from '../guard/alarms.js'
import type { AgentView } from '../routing/agent-view.js'
import { endpointUrl, indexUrl } from '../routing/urls.js'
import { addressOf } from '../supervisor/protocol.js'
import type { ProxyOptions } from '../supervisor/proxy.js'
import { askApproval } from './approval-session.js'
import { connectTerminal } from './connect-terminal.js'
import { describeAlarm } from './describe-alarm.js'
import { formatEndpoints } from './format-agents.js'
import { askGrants } from './grants-session.js'
import { Interrupts } from './interrupts.js'
import { terminalProgress } from './progress.js'
import type { RunFlags } from './run-flags.js'
import { tellReview } from './tell-review.js'

const closedStdinHint =
  'A program that watches files may end because its stdin is closed: stdin: open in moat.yaml keeps it open.'

export interface RunSessionOptions {
  /** What allows, by itself, what moat.yaml asks for. */
  approveCommands: string[]
  engine: Engine
  flags: RunFlags
  grantProviders: () => Promise<Providers>
  json: boolean
  log: (line: string) => void
  /** Called once the agent runs. */
  onStarted?: () => Promise<void>
  proxy: ProxyOptions
  tellGone: TellGone
}

/** What `run --json` prints. */
export interface RunOutcome extends AgentView {
  exitCode?: number
  /** What a person should know of the agent as it is; absent when there is nothing. */
  notes?: string[]
}

/** Runs the planned agent. With `exitCode` once it has ended, without when it was detached. */
export async function runSession(plan: AgentPlan, options: RunSessionOptions): Promise<RunOutcome> {
  const { engine, flags, json, log, proxy, tellGone } = options
  await assertMayRun(plan, options)
  const progress = terminalProgress()
  const interrupts = new Interrupts()
  try {
    plan.notes.forEach(progress.note)
    const started = await startAgent(plan, {
      ...proxy,
      attach: !flags.detach,
      engine,
      interactive: flags.interactive,
      keep: flags.keep,
      progress,
      rebuild: flags.rebuild,
      removeAtEnd: flags.detach && flags.rm,
      signal: interrupts.signal,
      user: hostUser(),
      verbose: flags.verbose,
    })
    await options.onStarted?.()
    if (started.authorityCreated) trustHint(proxy.paths.caCertificate, proxy.wanted.domain).forEach(progress.note)
    const agent = tellStarted(started, plan, { log, note: progress.note })
    const { explain, hear } = listenTo(started, plan, progress.note)
    if (flags.detach) {
      const exitCode = await endedAtOnce(started, {
        engine,
        hear,
        ...(!plan.openStdin && { hint: closedStdinHint }),
        keep: flags.keep,
        note: progress.note,
        proxy,
        removeAtEnd: flags.rm,
        stderr: process.stderr,
        tellGone,
      })
      started.hold?.release()
      await explain(exitCode)
      if (exitCode !== undefined) return { ...agent, exitCode }
      if (plan.endpoints.length === 0) log(`${agent.name} runs (${agent.runId}).`)
      return agent
    }
    const refusals = watchRefusals(started, plan, options, progress.note)
    const alarms = followGuard(started, plan, proxy.paths, progress.note)
    const exitCode = await followAgent(started, {
      connect: () => connect(started, engine),
      engine,
      hear,
      keep: flags.keep,
      note: progress.note,
      onInterrupt: (listener) => interrupts.onInterrupt(listener),
      proxy,
      stderr: process.stderr,
      // With --json, stdout carries one JSON object and nothing else.
      stdout: json ? process.stderr : process.stdout,
      tellGone,
    }).finally(() => {
      refusals?.stop()
      alarms?.()
    })
    await explain(exitCode)
    await tellReview(proxy.paths, started.agent.runId, progress.note)
    return { ...agent, exitCode }
  } finally {
    interrupts.release()
  }
}

/** Where the started agent is found, and what its framework wants to be told before it works there. */
function tellStarted(
  { agent, hold }: StartedAgent,
  { hostHint, proxyTrust }: AgentPlan,
  { log, note }: { log: (line: string) => void; note: (line: string) => void },
): RunOutcome {
  formatEndpoints(agent).forEach(log)
  if (!hold) return agent
  const address = addressOf(hold.status)
  if (agent.discover) note(`Any other port it listens on: ${endpointUrl(agent.name, '<port>', address)}`)
  note(`All agents: ${indexUrl(address)}`)
  const told = [...(hostHint ? [describeRefusedHost(hostHint, agent, address)] : []), ...describeLines(proxyTrust)]
  told.forEach(note)
  return told.length === 0 ? agent : { ...agent, notes: told }
}

/** Hears what the agent writes, and says at its end what that may mean. */
function listenTo({ forwards }: StartedAgent, plan: AgentPlan, note: (line: string) => void) {
  const clash = new PortClash(forwards)
  const missing = new MissingCommand()
  return {
    explain: async (exitCode: number | undefined) => {
      const from = { command: plan.command, image: plan.image.base, workspace: plan.workspace }
      if (exitCode === missingCommandCode) note(await missingCommandHint(missing.name, from))
      if (exitCode === 0 && endsInBackground(plan)) note(backgroundHint)
      if (exitCode && clash.hint) note(clash.hint)
    },
    hear: (piece: string) => {
      clash.hear(piece)
      missing.hear(piece)
    },
  }
}

/** Not on a terminal that the agent draws on. */
function watchRefusals(
  { agent }: StartedAgent,
  { network }: AgentPlan,
  { flags, proxy }: RunSessionOptions,
  note: (line: string) => void,
) {
  return isOpen(network) || flags.interactive ? undefined : tellRefusals(agent, proxy.paths, note)
}

/** What has become of the repository's config while it was at work there. */
function followGuard(
  { agent }: StartedAgent,
  { mainCheckout }: AgentPlan,
  { home }: MoatPaths,
  note: (line: string) => void,
) {
  return mainCheckout && followAlarms(mainCheckout, home, (text) => describeAlarm(text, agent.name, home).forEach(note))
}

async function assertMayRun(
  plan: AgentPlan,
  { approveCommands, flags, grantProviders, json, proxy }: RunSessionOptions,
): Promise<void> {
  if (flags.interactive) assertTerminal()
  await askApproval(plan, { ask: !json, commands: approveCommands, paths: proxy.paths, yes: flags.yes })
  // After the approval: nobody is asked for a credential that moat.yaml may not have.
  await askGrants(plan.grants, { ask: !json, paths: proxy.paths, providers: grantProviders })
}

/** True for a text such as `npm start &`. */
function endsInBackground({ command }: AgentPlan): boolean {
  const [program, option, text = ''] = command ?? []
  return program === 'sh' && option === '-c' && /[^&]&\s*$/.test(text)
}

const backgroundHint =
  'Its command ends with &, which puts it into the background. An agent runs as long as its command does: leave out the &.'

/** Joins the terminal to an interactive agent; the returned function gives it back. */
function connect({ containerId, output }: StartedAgent, engine: Engine): () => void {
  if (!output?.stdin) return () => {}
  const resize = (size: { columns: number; rows: number }) => engine.sessions.resize(containerId, size)
  return connectTerminal({ resize, stdin: output.stdin }, process.stdin, process.stdout)
}

function assertTerminal(): void {
  if (process.stdin.isTTY && process.stdout.isTTY) return
  throw new MoatError('USAGE', '-i needs a terminal on stdin and stdout.', {
    exit: exitCodes.usage,
    suggestions: ['moat run', 'moat exec <agent> -- <command>'],
  })
}
