// Owns moat's block in a hosts file: for resolvers that do not know *.localhost. Pure; what is outside of the block stays as
// it is, byte for byte.

/** Which block: two users of one machine have two. */
export interface HostsBlock {
  /** Without names there is no block. */
  hosts: readonly string[]
  id: string
}

/** Says in the block that the file had no line break at its end, so that it gets none when the block goes. */
const unfinished = ' (after a line without an end)'

/** Names on one line; some resolvers read no further than 255 bytes. */
const mostOnALine = 4

/** The file with this block in the place of the one it had, or at its end. */
export function withHostsBlock(file: string, { hosts, id }: HostsBlock): string {
  const rest = withoutHostsBlock(file, id)
  if (hosts.length === 0) return rest
  const eol = rest.includes('\r\n') ? '\r\n' : '\n'
  const open = rest !== '' && !rest.endsWith('\n')
  const lines = [
    `${beginning(id)}${open ? unfinished : ''}`,
    ...['127.0.0.1', '::1'].flatMap((address) => groups(hosts).map((names) => `${address} ${names.join(' ')}`)),
    ending(id),
  ]
  return `${rest}${open ? eol : ''}${lines.map((line) => `${line}${eol}`).join('')}`
}

/** The file as it would be had there never been a block. */
export function withoutHostsBlock(file: string, id: string): string {
  const begin = lineStart(file, beginning(id))
  if (begin === -1) return file
  const end = lineStart(file, ending(id), begin)
  // Without its end, nobody can tell what of the rest is moat's.
  if (end === -1) throw new RangeError(`the line "${ending(id)}" is missing`)
  const after = file.indexOf('\n', end)
  const head = file.slice(0, begin)
  const firstLine = file.slice(begin, file.indexOf('\n', begin))
  const tail = after === -1 ? '' : file.slice(after + 1)
  // What somebody has added after the block needs the line break before it.
  return firstLine.includes(unfinished) && tail === '' ? head.replace(/\r?\n$/, '') : `${head}${tail}`
}

function beginning(id: string): string {
  return `# moat ${id} begin: hosts of agents; moat proxy hosts clean removes this block`
}

function ending(id: string): string {
  return `# moat ${id} end`
}

/** Where the line that begins with `text` begins; -1 when there is none. */
function lineStart(file: string, text: string, from = 0): number {
  for (let at = file.indexOf(text, from); at !== -1; at = file.indexOf(text, at + 1)) {
    if (at === 0 || file[at - 1] === '\n') return at
  }
  return -1
}

function groups(hosts: readonly string[]): string[][] {
  const sorted = [...new Set(hosts)].toSorted()
  return Array.from({ length: Math.ceil(sorted.length / mostOnALine) }, (_, index) =>
    sorted.slice(index * mostOnALine, (index + 1) * mostOnALine),
  )
}
