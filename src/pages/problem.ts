// Owns what there is to say when no agent answers a request: what is wrong, what to do, and what there is instead. Pure.
import type { Agent } from '../routing/agent.js'
import type { ProxyAddress } from '../routing/urls.js'
import type { Look } from './view.js'

/** The JSON form is this without `links`, `page`, `status` and `waits`; fields may be added, never removed. */
export interface Problem {
  /** Names, for programs. */
  agent?: string
  agents?: string[]
  detail: string
  endpoint?: string
  endpoints?: string[]
  error: string
  hint: string
  /** Places to go instead. */
  links: { title: string; url: string }[]
  nearest?: string
  /** Of ports on which something listens, and that have no URL. */
  note?: string
  page: ProblemText
  status: number
  undeclared?: number[]
  /** `soon`: it is expected to go away by itself. `once`: it may just have. `change`: when something is done about it. */
  waits: 'change' | 'once' | 'soon'
}

/** The same for people, each thing said once. Backquotes are around code. */
export interface ProblemText {
  /** What to do, each with a line to copy if there is one. */
  fixes: { copy?: string; text: string }[]
  /** What the links of the problem are. */
  links?: string
  /** What else is known. */
  more?: string
  /** One sentence, without a full stop: what is wrong. */
  title: string
  /** What becomes of the page. */
  watch: string
  /** The label of the host that leads nowhere. */
  wrong?: string
}

export interface ProblemSources {
  address: ProxyAddress
  agents: readonly Agent[]
  /** True when an endpoint was asked and did not answer; false when the proxy knew of nobody to ask. */
  asked: boolean
  look: Look | undefined
  /** Milliseconds. */
  now: number
  /** A word as a shell has to be given it. */
  quote: (word: string) => string
}
