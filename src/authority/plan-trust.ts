// Owns what `moat proxy trust` and `untrust` do to each store: which roots come and go, and by which commands.
import { MoatError, messageOf } from '../errors.js'
import { handshakePort, type ProxyAddress } from '../routing/urls.js'
import type { Fingerprint, Root } from './roots.js'
import type { Step, StoredRoot, TrustStore, Verdict } from './stores/store.js'

export interface StorePlan {
  /** Roots of other users, or of a `~/.moat` that is gone, which stay. */
  others: StoredRoot[]
  /** Why nothing can be done to this store. */
  problem?: MoatError
  /** Empty when the store is up to date. */
  steps: Step[]
  store: TrustStore
}

export interface TrustGoal {
  /** Take out every root that any moat made. */
  all?: boolean
  /** The root in use, if there is one. */
  current?: Root
  /** Roots that `current` has replaced. */
  old: ReadonlySet<Fingerprint>
  /** Shall stores have `current`? */
  trust: boolean
}

/** Reads every store and plans its change. Changes nothing. */
export function planTrust(stores: readonly TrustStore[], goal: TrustGoal): Promise<StorePlan[]> {
  return Promise.all(stores.map((store) => planStore(store, goal)))
}

async function planStore(store: TrustStore, { all = false, current, old, trust }: TrustGoal): Promise<StorePlan> {
  try {
    const roots = await store.roots()
    const isCurrent = ({ fingerprint }: StoredRoot) => fingerprint === current?.fingerprint
    const isOurs = (root: StoredRoot) => all || isCurrent(root) || old.has(root.fingerprint)
    const remove = roots.filter((root) => isOurs(root) && !(trust && isCurrent(root)))
    const add = trust && !roots.some(isCurrent) ? current : undefined
    const steps = add || remove.length > 0 ? await store.change({ remove, ...(add && { add }) }) : []
    return { others: roots.filter((root) => !isOurs(root)), steps, store }
  } catch (error) {
    return { others: [], problem: asProblem(error), steps: [], store }
  }
}

export interface StoreOutcome {
  /** What was or would be run; where that is not possible, what makes it possible. */
  commands: string[]
  id: string
  name: string
  problem?: string
  /** `unchanged`: it already was as it should be. */
  result: 'changed' | 'failed' | 'planned' | 'unchanged'
}

/** Runs the steps of each store; one that fails does not keep the others from theirs. */
export async function runPlans(plans: readonly StorePlan[], onStep: (text: string) => void): Promise<StoreOutcome[]> {
  const outcomes: StoreOutcome[] = []
  for (const plan of plans) {
    let problem = plan.problem?.message
    try {
      for (const step of plan.steps) {
        onStep(step.text)
        await step.run()
      }
    } catch (error) {
      problem = messageOf(error)
    }
    const result = problem !== undefined ? 'failed' : plan.steps.length > 0 ? 'changed' : 'unchanged'
    outcomes.push({ ...describe(plan), result, ...(problem !== undefined && { problem }) })
  }
  return outcomes
}

/** The plans as they would be printed, nothing done. */
export function describePlans(plans: readonly StorePlan[]): StoreOutcome[] {
  return plans.map((plan) => {
    const result = plan.problem ? 'failed' : plan.steps.length > 0 ? 'planned' : 'unchanged'
    return { ...describe(plan), result, ...(plan.problem && { problem: plan.problem.message }) }
  })
}

function describe({ problem, steps, store }: StorePlan): Pick<StoreOutcome, 'commands' | 'id' | 'name'> {
  return { commands: problem?.suggestions ?? steps.map(({ text }) => text), id: store.id, name: store.name }
}

export interface StoreStatus extends Verdict {
  id: string
  name: string
}

/** What a client of each store makes of the proxy, at its domain. */
export async function probeStores(stores: readonly TrustStore[], address: ProxyAddress): Promise<StoreStatus[]> {
  return Promise.all(
    stores.map(async (store) => {
      const verdict = await store
        .probe({ ...address, port: handshakePort(address.port) })
        .catch((error) => ({ reason: messageOf(error), trusted: undefined }))
      return { id: store.id, name: store.name, ...verdict }
    }),
  )
}

function asProblem(error: unknown): MoatError {
  return error instanceof MoatError ? error : new MoatError('TRUST_FAILED', messageOf(error), { cause: error })
}
