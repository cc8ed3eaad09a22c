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

/** What a look at the engine is asked for by; `system` for images, volumes and what agents use, too. */
export function lookPath({ system }: { system: boolean }): string {
  return `${controlPaths.look}${system ? '?system' : ''}`
}

/** How long a supervisor may take to answer; a push of routes may wait a second for its turn. Milliseconds. */
export const answerTimeout = 10_000
