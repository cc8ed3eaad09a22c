// Owns storing a snapshot by git's fast-import, which takes content as it is: no file is opened by git, and nothing is filtered.
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { startAsInvokingUser } from '../config/invoking-user.js'
import { gitEnvironment } from '../worktrees/start-git.js'
import { gitMode, writeFacts } from './facts.js'
import type { SnapshotNote, SnapshotStore, StoredSnapshot } from './store.js'
import type { Tree } from './tree.js'

/** Bytes that are handed over at once: no more than waits in the pipe, or git has nothing to do while more is read. */
const piece = 64 * 1024
/** glibc gives zlib's memory back to the kernel after each file, and asks for it again: a third of the time git takes. Bytes. */
const keepMemory = { MALLOC_TOP_PAD_: String(16 * 1024 ** 2), MALLOC_TRIM_THRESHOLD_: String(256 * 1024 ** 2) }

export class TreeWriter {
  readonly #child: ChildProcessWithoutNullStreams
  readonly #ended: Promise<number>
  #pending: Buffer[] = []
  #size = 0
  #stderr = ''
  #stdout = ''
  readonly #store: SnapshotStore
  readonly #stored = new Set<string>()

  constructor(store: SnapshotStore) {
    const { args, env } = store.gitArguments
    this.#store = store
    this.#child = startAsInvokingUser((ids) =>
      spawn('git', [...args, 'fast-import', '--quiet', '--done', '--depth=0'], {
        cwd: store.directory,
        env: { ...gitEnvironment(process.env), ...env, ...keepMemory },
        ...ids,
      }),
    )
    this.#child.stdin.on('error', () => {})
    this.#child.stdout.setEncoding('latin1').on('data', (text: string) => {
      this.#stdout += text
    })
    this.#child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text
    })
    this.#ended = new Promise((resolve) => {
      this.#child.once('error', (error) => {
        this.#stderr += String(error)
        resolve(-1)
      })
      this.#child.once('close', (code) => resolve(code ?? -1))
    })
  }

  /** A promise where more would be too much for now. */
  content(id: string, content: Buffer): Promise<void> | undefined {
    if (this.#stored.has(id)) return undefined
    this.#stored.add(id)
    this.#push(Buffer.from(`blob\ndata ${content.length}\n`))
    this.#push(content)
    this.#push(Buffer.from('\n'))
    return this.#size > piece ? this.#flush() : undefined
  }

  /** `before` is the snapshot whose tree `known` is: what is the same is not said again. */
  async commit(
    id: number,
    note: SnapshotNote,
    tree: Tree | 'same',
    before?: { known: Pick<Tree, 'entries'>; snapshot: StoredSnapshot },
  ): Promise<StoredSnapshot> {
    const text = Buffer.from(JSON.stringify(note))
    this.#push(Buffer.from(`commit ${this.#store.references}/${id}\n`))
    this.#push(Buffer.from('mark :1\n'))
    this.#push(Buffer.from(`committer moat <moat@localhost> ${Math.floor(Date.parse(note.createdAt) / 1000)} +0000\n`))
    this.#push(Buffer.from(`data ${text.length}\n`))
    this.#push(text)
    // Without a parent: one that is dropped is gone.
    this.#push(Buffer.from(before ? `\nM 040000 ${before.snapshot.tree} ""\n` : '\n'))
    if (tree !== 'same') await this.#pushTree(tree, before?.known)
    this.#push(Buffer.from('\nget-mark :1\nls :1 ""\ndone\n'))
    await this.#flush()
    this.#child.stdin.end()
    const code = await this.#ended
    const [, commit, root] = /^([0-9a-f]{64})\n040000 tree ([0-9a-f]{64})\t/.exec(this.#stdout) ?? []
    if (code === 0 && commit !== undefined && root !== undefined) return { ...note, commit, id, tree: root }
    throw this.#store.failed({ code, stderr: this.#stderr })
  }

  async #pushTree(tree: Tree, known: Pick<Tree, 'entries'> | undefined): Promise<void> {
    for (const line of treeLines(tree, known)) {
      this.#push(Buffer.from(line, 'latin1'))
      if (this.#size > piece) await this.#flush()
    }
    const facts = writeFacts(tree)
    this.#push(Buffer.from(`M 100644 inline "facts.json"\ndata ${facts.length}\n`))
    this.#push(facts)
  }

  /** Gives up; nothing of it stays. */
  async abandon(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#ended
  }

  #push(bytes: Buffer): void {
    this.#pending.push(bytes)
    this.#size += bytes.length
  }

  async #flush(): Promise<void> {
    const bytes = Buffer.concat(this.#pending)
    this.#pending = []
    this.#size = 0
    if (this.#child.stdin.write(bytes)) return
    await Promise.race([once(this.#child.stdin, 'drain').catch(() => {}), this.#ended])
  }
}

/** What fast-import is told of the files, as raw text: what goes before what comes. */
function* treeLines({ entries }: Pick<Tree, 'entries'>, known?: Pick<Tree, 'entries'>): Generator<string> {
  for (const [path, entry] of known?.entries ?? []) {
    const now = entries.get(path)
    if (entry.kind !== 'directory' && (!now || now.kind === 'directory')) yield `D ${quoted(path)}\n`
  }
  for (const [path, entry] of entries) {
    if (entry.kind === 'directory') continue
    const before = known?.entries.get(path)
    if (before?.id === entry.id && before && gitMode(path, before) === gitMode(path, entry)) continue
    yield `M ${gitMode(path, entry)} ${entry.id} ${quoted(path)}\n`
  }
}

function quoted(path: string): string {
  return `"files/${path.replace(/[\\"]/g, '\\$&').replaceAll('\n', '\\n')}"`
}
