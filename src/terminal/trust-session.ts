// Owns changing trust stores as a person sees it: the commands first, then the question, then what came of it.
import { describePlans, planTrust, runPlans, type StoreOutcome, type StorePlan } from '../authority/plan-trust.js'
import { ensureAuthority } from '../authority/root.js'
import { type Root, readOldRoots, readRoot } from '../authority/roots.js'
import { findStores, storeContext } from '../authority/stores/find-stores.js'
import type { TrustStore } from '../authority/stores/store.js'
import type { MoatPaths } from '../config/paths.js'
import { exitCodes, MoatError, systemCode } from '../errors.js'
import { confirm } from './confirm.js'

export interface TrustOptions {
  all?: boolean
  json: boolean
  /** stdout. */
  log: (line: string) => void
  /** stderr. */
  note: (line: string) => void
  paths: MoatPaths
  print: boolean
  /** The domain that the root has to be for; false to untrust. */
  trust: false | { domain: string }
  yes: boolean
}

export interface TrustOutcome {
  /** False when a person said no. */
  agreed: boolean
  stores: StoreOutcome[]
}

/** Trusts or untrusts in every store, after asking. Sets no exit code: `hasFailed` says whether there is one. */
export async function changeTrust(options: TrustOptions): Promise<TrustOutcome> {
  const { log, note, paths, print, trust, yes } = options
  const current = trust ? await makeRoot(paths, trust.domain) : await findRoot(paths)
  const old = await readOldRoots(paths)
  const goal = { old, trust: trust !== false, ...(options.all && { all: true }), ...(current && { current }) }
  const plans = await planTrust(await storesOf(paths), goal)
  const planned = plans.some(({ steps }) => steps.length > 0)
  if (print) {
    plans.flatMap(asScript).forEach(log)
    return { agreed: true, stores: describePlans(plans) }
  }
  for (const plan of plans)
    if (!plan.problem && plan.steps.length === 0) note(`${plan.store.name}: ${nothingToDo(trust !== false)}.`)
  if (planned && !yes) {
    note('moat will run:\n')
    for (const line of plans.flatMap(asScript)) note(`  ${line}`)
    note('')
    if (!(await agreed(options))) {
      note('Nothing was changed.')
      return { agreed: false, stores: describePlans(plans) }
    }
  }
  const stores = await runPlans(plans, (text) => note(`$ ${text}`))
  for (const outcome of stores) report(outcome, options)
  noteOthers(plans, note)
  return { agreed: true, stores }
}

export function hasFailed({ stores }: TrustOutcome): boolean {
  return stores.some(({ result }) => result === 'failed')
}

/** The stores of this machine. */
export async function storesOf(paths: MoatPaths): Promise<TrustStore[]> {
  const stores = await findStores(storeContext(paths))
  if (stores.length > 0) return stores
  throw new MoatError('TRUST_FAILED', 'This machine has no trust store that moat knows how to change.', {
    suggestions: [`curl --cacert ${paths.caCertificate} <url>`],
  })
}

async function makeRoot(paths: MoatPaths, domain: string): Promise<Root> {
  await ensureAuthority(paths, domain)
  return readRoot(paths.caCertificate)
}

async function findRoot(paths: MoatPaths): Promise<Root | undefined> {
  try {
    return await readRoot(paths.caCertificate)
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    throw error
  }
}

function nothingToDo(trust: boolean): string {
  return trust ? 'trusts it already' : 'has nothing of moat'
}

/** Lines for a shell. */
function asScript({ problem, steps, store }: StorePlan): string[] {
  if (problem)
    return [`# ${store.name}: ${problem.message}`, ...(problem.suggestions ?? []).map((line) => `#   ${line}`)]
  return steps.length === 0 ? [] : [`# ${store.name}`, ...steps.map(({ text }) => text)]
}

async function agreed({ json, trust }: TrustOptions): Promise<boolean> {
  const answer = json ? undefined : await confirm('Run them?')
  if (answer !== undefined) return answer
  const name = trust ? 'trust' : 'untrust'
  throw new MoatError('USAGE', `Without a terminal, moat proxy ${name} does not ask and changes nothing.`, {
    exit: exitCodes.usage,
    suggestions: [`moat proxy ${name} --yes`, `moat proxy ${name} --print`],
  })
}

function report({ commands, name, problem, result }: StoreOutcome, { log, note, trust }: TrustOptions): void {
  if (result === 'changed') log(`${name}: ${trust ? 'trusts moat now' : 'as it was before'}`)
  if (result !== 'failed') return
  note(`\nError: ${name}: ${problem?.replace(/\.$/, '')}.`)
  if (commands.length > 0) note(['', 'Try this:', ...commands.map((command) => `  ${command}`)].join('\n'))
}

function noteOthers(plans: readonly StorePlan[], note: (line: string) => void): void {
  for (const { others, store } of plans) {
    for (const { label } of others)
      note(`${store.name}: ${label} is another moat's and stays; moat proxy untrust --all takes it out.`)
  }
}
