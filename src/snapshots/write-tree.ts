// Owns storing a snapshot. Content is taken as it is: no file is opened by git, and nothing is filtered. What is much goes into a pack
// of moat's own; a little of it, and trees and the commit, by git's fast-import.
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { startAsInvokingUser } from '../config/invoking-user.js'
import { shellQuote } from '../config/shell-quote.js'
import { MoatError, messageOf } from '../errors.js'
import { gitEnvironment } from '../worktrees/start-git.js'
import { gitMode, writeFacts } from './facts.js'
import { PackWriter } from './pack-writer.js'
import type { SnapshotNote, SnapshotStore, StoredSnapshot } from './store.js'
import type { Tree } from './tree.js'

/** Bytes that git is given at once: no more than waits in the pipe, or it has nothing to do meanwhile. */
const piece = 64 * 1024
/** Bytes of content from which on a pack is written. */
const much = 1024 * 1024

export class TreeWriter {
  #import: FastImport | undefined
  #little: [id: string, content: Buffer][] = []
  #littleSize = 0
  #pack: PackWriter | undefined
  readonly #store: SnapshotStore
  readonly #stored = new Set<string>()

  constructor(store: SnapshotStore) {
    this.#store = store
  }

  /** A promise where more would be too much for now. */
  content(id: string, content: Buffer): Promise<void> | undefined {
    if (this.#stored.has(id)) return undefined
    this.#stored.add(id)
    try {
      return this.#keep(id, content)?.catch(this.#failed)
    } catch (error) {
      return this.#failed(error)
    }
  }

  #keep(id: string, content: Buffer): Promise<void> | undefined {
    if (this.#pack) return this.#pack.add(id, content)
    this.#little.push([id, content])
    this.#littleSize += content.length
    return this.#littleSize > much ? this.#startPack() : undefined
  }

  async #startPack(): Promise<void> {
    const pack = new PackWriter(join(this.#store.directory, 'objects/pack'))
    this.#pack = pack
    for (const [id, content] of this.#little.splice(0)) await pack.add(id, content)
  }

  /** `before` is the snapshot whose tree `known` is: what is the same is not said again. */
  async commit(
    id: number,
    note: SnapshotNote,
    tree: Tree | 'same',
    before?: { known: Pick<Tree, 'entries'>; snapshot: StoredSnapshot },
  ): Promise<StoredSnapshot> {
    await this.#pack?.finish().catch(this.#failed)
    this.#import = new FastImport(this.#store)
    const text = JSON.stringify(note)
    const time = Math.floor(Date.parse(note.createdAt) / 1000)
    for (const [, content] of this.#little) await this.#import.data('blob\n', content)
    const head = `commit ${this.#store.references}/${id}\nmark :1\ncommitter moat <moat@localhost> ${time} +0000\n`
    await this.#import.data(head, Buffer.from(text))
    // Without a parent: one that is dropped is gone.
    if (before) await this.#import.say(`M 040000 ${before.snapshot.tree} ""\n`)
    if (tree !== 'same') {
      let lines = ''
      for (const line of treeLines(tree, before?.known)) {
        lines += line
        if (lines.length < piece) continue
        await this.#import.say(lines)
        lines = ''
      }
      this.#import.say(lines)
      await this.#import.data('M 100644 inline "facts.json"\n', writeFacts(tree))
    }
    const [commit, root] = await this.#import.end()
    return { ...note, commit, id, tree: root }
  }

  readonly #failed = (cause: unknown): never => {
    const { directory } = this.#store
    const message = `moat's store of snapshots, ${directory}, cannot be written: ${messageOf(cause)}.`
    throw new MoatError('SNAPSHOT_FAILED', message, { cause, suggestions: [`df -h ${shellQuote(directory)}`] })
  }

  /** Gives up; nothing of it stays. */
  async abandon(): Promise<void> {
    await this.#import?.abandon()
    await this.#pack?.abandon()
  }
}

/** git, as it takes in what it is told by a stream. */
class FastImport {
  readonly #child: ChildProcessWithoutNullStreams
  readonly #ended: Promise<number>
  #pending: Buffer[] = []
  #size = 0
  #stderr = ''
  #stdout = ''
  readonly #store: SnapshotStore

  constructor(store: SnapshotStore) {
    const { args, env } = store.gitArguments
    this.#store = store
    this.#child = startAsInvokingUser((ids) =>
      spawn('git', [...args, 'fast-import', '--quiet', '--done', '--depth=0'], {
        cwd: store.directory,
        env: { ...gitEnvironment(process.env), ...env },
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

  /** Raw text. A promise where more would be too much for now. */
  say(text: string): Promise<void> | undefined {
    return this.#push(Buffer.from(text, 'latin1'))
  }

  async data(head: string, content: Buffer): Promise<void> {
    this.say(`${head}data ${content.length}\n`)
    this.#push(content)
    await this.say('\n')
  }

  /** The commit with mark 1, and its tree. */
  async end(): Promise<[commit: string, tree: string]> {
    this.say('\nget-mark :1\nls :1 ""\ndone\n')
    await this.#flush()
    this.#child.stdin.end()
    const code = await this.#ended
    const [, commit, tree] = /^([0-9a-f]{64})\n040000 tree ([0-9a-f]{64})\t/.exec(this.#stdout) ?? []
    if (code === 0 && commit !== undefined && tree !== undefined) return [commit, tree]
    throw this.#store.failed({ code, stderr: this.#stderr })
  }

  async abandon(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#ended
  }

  #push(bytes: Buffer): Promise<void> | undefined {
    this.#pending.push(bytes)
    this.#size += bytes.length
    return this.#size > piece ? this.#flush() : undefined
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
