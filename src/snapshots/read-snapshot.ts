// Owns reading a snapshot back: its tree, the content of its files, and the rules that held then.
import { spawn } from 'node:child_process'
import { startAsInvokingUser } from '../config/invoking-user.js'
import { MoatError } from '../errors.js'
import type { IgnoreRules } from '../worktrees/ignore-rules.js'
import { gitEnvironment } from '../worktrees/start-git.js'
import { readTree } from './facts.js'
import { contentId } from './object-id.js'
import type { SnapshotStore, StoredSnapshot } from './store.js'
import { parentsOf, type Tree } from './tree.js'

export async function snapshotTree(store: SnapshotStore, { id, tree }: StoredSnapshot): Promise<Tree> {
  const [listed, facts] = await Promise.all([
    store.git(['ls-tree', '-r', '-z', '--full-tree', `${tree}:files`], { encoding: 'latin1' }).catch((error) => {
      // A workspace without files has no such directory.
      return store.git(['ls-tree', tree, 'files']).then((found) => {
        if (found !== '') throw error
        return ''
      })
    }),
    store.git(['cat-file', 'blob', `${tree}:facts.json`]),
  ])
  try {
    return readTree(listed, facts)
  } catch (cause) {
    throw new MoatError('SNAPSHOT_FAILED', `Snapshot ${id} of ${store.workspace} cannot be read.`, { cause })
  }
}

/** Content by its id, each checked against it. */
export async function* contents(
  store: SnapshotStore,
  ids: readonly string[],
): AsyncGenerator<[id: string, content: Buffer]> {
  if (ids.length === 0) return
  const { args, env } = store.gitArguments
  const child = startAsInvokingUser((own) =>
    spawn('git', [...args, 'cat-file', '--batch'], {
      cwd: store.directory,
      env: { ...gitEnvironment(process.env), ...env },
      stdio: ['pipe', 'pipe', 'ignore'],
      ...own,
    }),
  )
  child.on('error', () => child.stdout.destroy())
  child.stdin.on('error', () => {})
  child.stdin.end(`${ids.join('\n')}\n`)
  try {
    yield* parseBatch(child.stdout)
  } finally {
    child.kill('SIGKILL')
  }
}

/** `<id> blob <size>`, a line end, the content, a line end. */
async function* parseBatch(output: AsyncIterable<Buffer>): AsyncGenerator<[string, Buffer]> {
  let pieces: Buffer[] = []
  let length = 0
  let wanted = 0
  for await (const piece of output) {
    pieces.push(piece)
    length += piece.length
    if (length < wanted) continue
    let rest = Buffer.concat(pieces)
    for (;;) {
      const end = rest.indexOf(10)
      const [id = '', kind = '', size = ''] = end < 0 ? [] : rest.subarray(0, end).toString('latin1').split(' ')
      if (end >= 0 && kind !== 'blob') throw damaged(id)
      wanted = end < 0 ? 0 : end + 1 + Number(size) + 1
      if (end < 0 || rest.length < wanted) break
      const content = rest.subarray(end + 1, wanted - 1)
      if (contentId(content) !== id) throw damaged(id)
      yield [id, content]
      rest = rest.subarray(wanted)
    }
    pieces = [rest]
    length = rest.length
  }
  if (length > 0) throw damaged('')
}

function damaged(id: string): MoatError {
  return new MoatError(
    'SNAPSHOT_FAILED',
    `moat's store of snapshots is damaged: ${id || 'an object'} is not what it was.`,
  )
}

/** True for what was ignored when the snapshot was taken, by the `.gitignore` files in it. */
export async function ignoredThen(
  store: SnapshotStore,
  { entries }: Tree,
  outer: IgnoreRules,
): Promise<(path: string, isDirectory: boolean) => boolean> {
  const files = [...entries].filter(([path, { kind }]) => kind === 'file' && /(?:^|\/)\.gitignore$/.test(path))
  const texts = new Map<string, string>()
  const ids = [...new Set(files.map(([, { id = '' }]) => id))]
  for await (const [id, content] of contents(store, ids)) texts.set(id, content.toString('latin1'))
  const rules = new Map<string, IgnoreRules>()
  // The outer ones first, for those within.
  for (const [path, { id = '' }] of files.toSorted(
    ([one], [other]) => one.split('/').length - other.split('/').length,
  )) {
    const directory = path.slice(0, Math.max(0, path.lastIndexOf('/')))
    rules.set(directory, nearest(rules, directory, outer).within(directory, texts.get(id) ?? ''))
  }
  return (path, isDirectory) =>
    [...parentsOf(path), path].some((part) => {
      const directory = part.slice(0, Math.max(0, part.lastIndexOf('/')))
      return nearest(rules, directory, outer).ignores(part, part !== path || isDirectory)
    })
}

function nearest(rules: ReadonlyMap<string, IgnoreRules>, directory: string, outer: IgnoreRules): IgnoreRules {
  for (const at of [directory, ...parentsOf(directory).toReversed(), '']) {
    const own = rules.get(at)
    if (own) return own
  }
  return outer
}
