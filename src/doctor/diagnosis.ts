// Owns what a diagnosis is: checks, what each of them found, and running them so that none takes the others along.
import type { AgentPlan } from '../agents/plan/plan-agent.js'
import type { MoatPaths } from '../config/paths.js'
import type { WantedAddress } from '../config/settings.js'
import type { Engine } from '../engine/engine.js'
import { MoatError, messageOf } from '../errors.js'
import { defaultDomain } from '../routing/urls.js'
import type { SupervisorStatus } from '../supervisor/protocol.js'
import type { Repair } from './repair.js'

/** A directory with a project. */
export interface CheckedProject {
  /** As it was typed. */
  path: string
  /** What `moat run` would make of it. Rejects for what is wrong with it. */
  plan: (domain: string) => Promise<Pick<AgentPlan, 'hostHint' | 'name' | 'proxyTrust'>>
}

export type CheckStatus = 'fail' | 'ok' | 'warn'

/** One line of a diagnosis. */
export interface Finding {
  /** What was looked at: `engine`, `trust (curl)`, … */
  check: string
  /** Commands that put it right, most useful first. */
  fixes: string[]
  message: string
  /** What `moat setup` can do about it. */
  repair?: Repair
  status: CheckStatus
}

/** What the checks look at. Each is asked for once, however many checks want it. */
export interface DoctorContext {
  connectEngine: () => Promise<Engine>
  env: NodeJS.ProcessEnv
  paths: MoatPaths
  platform: NodeJS.Platform
  /** The project to look at as well, if one was named. */
  project?: CheckedProject
  /** The running supervisor's status; undefined when none answers. */
  proxy: () => Promise<SupervisorStatus | undefined>
  /** Where the proxy is asked to be. Rejects when the setting is wrong. */
  wanted: () => Promise<WantedAddress>
}

/** The domain the proxy is asked for. A setting that is wrong is for the check of the port to tell, once. */
export async function wantedDomain({ wanted }: Pick<DoctorContext, 'wanted'>): Promise<string> {
  return wanted().then(
    ({ domain }) => domain,
    () => defaultDomain,
  )
}

export interface Check {
  find: (context: DoctorContext) => Promise<Finding[]>
  /** Stands for its findings when it fails itself. */
  name: string
}

/** A check that has not come to an end by then has failed. Milliseconds. */
const checkDeadline = 20_000

export function ok(check: string, message: string): Finding {
  return { fixes: [], status: 'ok', message, check }
}

export function warn(check: string, message: string, fixes: string[], repair?: Repair): Finding {
  return { fixes, status: 'warn', message, check, ...(repair && { repair }) }
}

export function fail(check: string, message: string, fixes: string[], repair?: Repair): Finding {
  return { fixes, status: 'fail', message, check, ...(repair && { repair }) }
}

/** The line for an error: a MoatError brings its own commands. */
export function failure(check: string, error: unknown, repair?: Repair): Finding {
  return fail(check, messageOf(error), error instanceof MoatError ? (error.suggestions ?? []) : [], repair)
}

/** The findings of all checks, in the order of the checks. Never rejects. */
export async function diagnose(
  checks: readonly Check[],
  context: DoctorContext,
  deadline: number = checkDeadline,
): Promise<Finding[]> {
  const found = await Promise.all(checks.map((check) => findingsOf(check, context, deadline)))
  return found.flat()
}

export function isHealthy(findings: readonly Finding[]): boolean {
  return findings.every(({ status }) => status !== 'fail')
}

async function findingsOf({ find, name }: Check, context: DoctorContext, deadline: number): Promise<Finding[]> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<Finding[]>((resolve) => {
    timer = setTimeout(() => resolve([fail(name, `The check did not end within ${deadline / 1000} s.`, [])]), deadline)
  })
  try {
    return await Promise.race([late, find(context)])
  } catch (error) {
    return [failure(name, error)]
  } finally {
    clearTimeout(timer)
  }
}
