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
