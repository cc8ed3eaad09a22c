// Owns the paths of the control socket, for who asks there without loading what else there is to say.
export const controlPaths = {
  check: '/check',
  expect: '/expect',
  hold: '/hold',
  keep: '/keep',
  key: '/key',
  look: '/look',
  problems: '/problems',
  record: '/record',
  rotate: '/rotate',
  status: '/status',
  stop: '/stop',
  sync: '/sync',
  watch: '/watch',
} as const

/** What a look is of: `agents` alone, also of what is wrong with their endpoints (`problems`), or of images, volumes and what agents use, too. */
export type LookKind = 'agents' | 'problems' | 'system'

/** What a look at the engine is asked for by. */
export function lookPath(kind: LookKind): string {
  return `${controlPaths.look}?${kind}`
}

export function lookKind(query: URLSearchParams): LookKind {
  return query.has('system') ? 'system' : query.has('agents') ? 'agents' : 'problems'
}

/** How long a supervisor may take to answer; a push of routes may wait a second for its turn. Milliseconds. */
export const answerTimeout = 10_000
