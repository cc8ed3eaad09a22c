// Owns what Caddy opens of that which agents send elsewhere: for whom, by which rules, with which authority, and the socket at
// which it asks about single requests.
import { randomBytes } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import { ensureEgressAuthority } from '../authority/egress-root.js'
import type { EgressSettings, OpenedAgent } from '../caddy/egress-settings.js'
import { validateAuthority } from '../caddy/validate-authority.js'
import { interceptSocket, type MoatPaths } from '../config/paths.js'
import { type QuestionOptions, questionListener } from '../egress/answer-questions.js'
import { readDial } from '../egress/dial-file.js'
import { effectivePolicy } from '../egress/effective-policy.js'
import { withoutRevoked } from '../egress/granted-rules.js'
import { readLiveRules } from '../egress/live-rules.js'
import { type GrantedPlace, openedHosts } from '../egress/opened-hosts.js'
import type { Question } from '../egress/questions.js'
import { messageOf } from '../errors.js'
import { type Agent, hasEnded } from '../routing/agent.js'
import { contentMark } from '../upkeep/file-mark.js'
import { listenPrivately, type PrivateListener } from '../upkeep/listen-privately.js'
import { trimLeaves } from './trim-leaves.js'

export interface OpeningOptions {
  /** Path of Caddy. */
  binary: string
  /** Another text whenever a grant is another; undefined for one that was revoked. */
  grantMark?: (grant: string) => string | undefined
  /** Where something is put into requests of an agent. */
  grantsOf?: (agent: Agent) => Promise<readonly GrantedPlace[]>
  log: (message: string) => void
  paths: MoatPaths
  /** A host has refused a request of an agent that has these grants. */
  refused?: (grants: readonly string[], question: Question) => void
  valueFor?: QuestionOptions['valueFor']
}

/** Longer than Caddy keeps a connection that nothing is asked on, two minutes: it is Caddy that ends them. Milliseconds. */
const idleDeadline = 150_000
/** Nobody listens there. */
const nowhere = { password: randomBytes(16).toString('hex'), port: 1 }

export class Opening {
  #agents: readonly OpenedAgent[] = []
  #complaint = ''
  #listener: PrivateListener | undefined
  readonly #options: OpeningOptions
  #proved: string | undefined
  #server: Server | undefined

  constructor(options: OpeningOptions) {
    this.#options = options
  }

  /** Answers what Caddy asks, from now on. */
  async listen(): Promise<void> {
    const { log, paths, refused: tell, valueFor = async () => undefined } = this.#options
    await mkdir(paths.egress, { mode: 0o700, recursive: true })
    const agentOf = (runId: string) => this.#agents.find((agent) => agent.runId === runId)
    const refused = (question: Question) => {
      const names = agentOf(question.runId)?.grants.map(({ grant }) => grant) ?? []
      if (names.length > 0) tell?.([...new Set(names)], question)
    }
    const listener = questionListener({ agentOf, log, refused, valueFor })
    this.#server = createServer({ keepAliveTimeout: idleDeadline }, listener)
    this.#listener = await listenPrivately(this.#server, paths.egressQuestions)
  }

  /** For Caddy's config; undefined while nothing is opened, or cannot be: what is not opened does not pass. */
  async settingsFor(agents: readonly Agent[]): Promise<EgressSettings | undefined> {
    const { log, paths } = this.#options
    const opened = await Promise.all(agents.filter((agent) => !hasEnded(agent)).map((agent) => this.#opened(agent)))
    this.#agents = opened.filter((agent) => agent !== undefined).toSorted((a, b) => (a.runId < b.runId ? -1 : 1))
    if (this.#agents.length === 0) return undefined
    const problem = await this.#prove()
    if (problem !== undefined) {
      if (problem !== this.#complaint) log(`nothing is opened: ${problem}`)
      this.#complaint = problem
      return undefined
    }
    this.#complaint = ''
    await trimLeaves(paths.egressStorage)
    return {
      agents: this.#agents,
      certificate: paths.egressCertificate,
      dial: (await readDial(paths)) ?? nowhere,
      key: paths.egressKey,
      questions: paths.egressQuestions,
      reports: paths.egressReports,
      storage: paths.egressStorage,
    }
  }

  close(): void {
    this.#listener?.release()
    this.#server?.close()
    this.#server?.closeAllConnections()
  }

  async #opened(agent: Agent): Promise<OpenedAgent | undefined> {
    const { grantMark, grantsOf, log, paths } = this.#options
    const { name, network, runId } = agent
    if (!network) return undefined
    try {
      const now = grantMark ? withoutRevoked(network, (grant) => grantMark(grant) !== undefined) : network
      const policy = effectivePolicy(now, await readLiveRules(paths, runId))
      const grants = (await grantsOf?.(agent)) ?? []
      const opened = { grants, name, policy, runId, socket: interceptSocket(paths, runId) }
      return openedHosts(opened).length > 0 ? opened : undefined
    } catch (error) {
      log(`nothing is opened for ${name}: ${messageOf(error)}`)
      return undefined
    }
  }

  /** Why the authority cannot be used. Caddy's admin API does not survive one that it cannot load, so each is tried elsewhere. */
  async #prove(): Promise<string | undefined> {
    const { binary, paths } = this.#options
    try {
      await ensureEgressAuthority(paths)
      const files = { caCertificate: paths.egressCertificate, caKey: paths.egressKey }
      const mark = Object.values(files).map(contentMark).join(' ')
      if (mark === this.#proved) return undefined
      const reason = await validateAuthority(binary, files)
      if (reason !== undefined) return `Caddy cannot use the second authority (${reason})`
      this.#proved = mark
      return undefined
    } catch (error) {
      return messageOf(error)
    }
  }
}
