// Owns the repository that snapshots are kept in: a bare one of moat's own, outside of every workspace, which no agent can write. One
// for all worktrees of a repository, so that what they share is kept once. Its references are the only list of snapshots.
import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { replaceFile } from '../config/replace-file.js'
import { shellQuote } from '../config/shell-quote.js'
import { MoatError } from '../errors.js'
import { type FileLock, takeFileLock, tryFileLock } from '../processes/file-lock.js'
import { type GitOutcome, type GitStart, startGit } from '../worktrees/start-git.js'

/** Why a snapshot was taken. */
export type SnapshotReason = 'commit' | 'demand' | 'idle' | 'restore' | 'run'

/** What is written down with a snapshot. */
export interface SnapshotNote {
  /** Name of the agent that was to run, or was running. */
  agent?: string
  /** ISO 8601. */
  createdAt: string
  files: number
  /** How many paths it leaves alone. */
  left: number
  reason: SnapshotReason
  runId?: string
  workspace: string
}

export interface Snapshot extends SnapshotNote {
  /** Counts up, for each workspace by itself. */
  id: number
}

export interface StoredSnapshot extends Snapshot {
  commit: string
  tree: string
}

/** How long another moat's snapshot is waited for. Milliseconds. */
const lockTakes = 120_000

const mostPacks = 50

/** Nothing of the user's own settings, nor of any repository's: no hook, no filter, no attributes. */
const settings = ['core.compression=1', 'core.hooksPath=/dev/null', 'core.protectHFS=false', 'core.protectNTFS=false']
  .concat('fastimport.unpackLimit=0', 'gc.auto=0', 'gc.pruneExpire=now')
  .flatMap((setting) => ['-c', setting])

export class SnapshotStore {
  /** The bare repository. */
  readonly directory: string
  /** Tells the snapshots of a workspace from those of others. */
  readonly key: string
  readonly workspace: string
  #remember: () => Promise<void> = async () => {}

  private constructor(directory: string, workspace: string) {
    this.directory = directory
    this.key = digest(workspace)
    this.workspace = workspace
  }

  /**
   * The one that the workspace has had from its first snapshot on, whatever becomes of its repository: an agent may make or remove
   * `.git`. `owner` is asked for a new one: the directory of the repository, else the workspace. Real paths.
   */
  static async of(directory: string, workspace: string, owner: () => Promise<string>): Promise<SnapshotStore> {
    const file = join(directory, 'workspaces', digest(workspace))
    const known = await readFile(file, 'utf8').catch(() => '')
    if (/^[0-9a-f]{32}$/.test(known)) return new SnapshotStore(join(directory, `${known}.git`), workspace)
    const name = digest(await owner())
    const store = new SnapshotStore(join(directory, `${name}.git`), workspace)
    store.#remember = async () => {
      await mkdir(dirname(file), { mode: 0o700, recursive: true })
      await replaceFile(file, name, 0o600)
    }
    return store
  }

  get references(): string {
    return `refs/moat/${this.key}`
  }

  /** What the last scan of the workspace has found. */
  get statFile(): string {
    return join(this.directory, 'moat', `${this.key}.json`)
  }

  async exists(): Promise<boolean> {
    return (await stat(join(this.directory, 'HEAD')).catch(() => undefined)) !== undefined
  }

  /** Runs `action` while no other moat writes the store, which is made if need be. */
  async locked<T>(action: () => Promise<T>, onWait: () => void = () => {}): Promise<T> {
    const lock = await this.#lock(onWait)
    try {
      if (!(await this.exists())) await this.#make()
      await this.#remember()
      return await action()
    } finally {
      await lock.release()
    }
  }

  async #lock(onWait: () => void): Promise<FileLock> {
    const file = `${this.directory}.lock`
    const lock = await takeFileLock(file)
    if (lock) return lock
    onWait()
    const waited = await tryFileLock(file, lockTakes)
    if (waited) return waited
    throw new MoatError('SNAPSHOT_FAILED', 'Another moat has been taking a snapshot here for two minutes.', {
      suggestions: ['ps aux | grep moat'],
    })
  }

  /** Whole or not at all. */
  async #make(): Promise<void> {
    const next = `${this.directory}.new`
    await rm(next, { force: true, recursive: true })
    await mkdir(next, { mode: 0o700, recursive: true })
    const args = ['init', '--bare', '--quiet', '--template=', '--object-format=sha256', '.']
    const outcome = await startGit([...settings, ...args], { directory: next, env: environment })
    if (outcome.code !== 0) throw this.failed(outcome)
    await mkdir(join(next, 'moat'), { mode: 0o700 })
    await rename(next, this.directory)
  }

  async git(args: readonly string[], { encoding, input }: Pick<GitStart, 'encoding' | 'input'> = {}): Promise<string> {
    const outcome = await startGit([...settings, ...args], {
      directory: this.directory,
      env: { ...environment, GIT_DIR: this.directory },
      ...(encoding && { encoding }),
      ...(input && { input }),
    })
    if (outcome.code !== 0) throw this.failed(outcome)
    return outcome.stdout
  }

  /** For who starts git here itself. */
  get gitArguments(): { args: string[]; env: NodeJS.ProcessEnv } {
    return { args: settings, env: { ...environment, GIT_DIR: this.directory } }
  }

  /** Those of the workspace, the earliest first. */
  async list(): Promise<StoredSnapshot[]> {
    if (!(await this.exists())) return []
    const format = '--format=%(refname)%00%(objectname)%00%(tree)%00%(contents)%00'
    const fields = (await this.git(['for-each-ref', format, `${this.references}/`])).split('\0')
    const all: StoredSnapshot[] = []
    for (let index = 0; index + 3 < fields.length; index += 4) {
      const [name = '', commit = '', tree = '', text = ''] = fields.slice(index, index + 4)
      const id = Number(name.slice(name.lastIndexOf('/') + 1))
      if (Number.isInteger(id)) all.push({ ...(JSON.parse(text) as SnapshotNote), commit, id, tree })
    }
    return all.toSorted((one, other) => one.id - other.id)
  }

  /** Takes snapshots off the list. What only they have takes room until `tidy`. */
  async drop(snapshots: readonly Pick<Snapshot, 'id'>[]): Promise<void> {
    if (snapshots.length === 0) return
    const lines = snapshots.map(({ id }) => `delete ${this.references}/${id}\n`)
    await this.git(['update-ref', '--stdin'], { input: Buffer.from(lines.join('')) })
  }

  /** Each snapshot that has something new is a file; many of them make reading slow. */
  async isUntidy(): Promise<boolean> {
    const files = await readdir(join(this.directory, 'objects/pack')).catch(() => [])
    return files.filter((file) => file.endsWith('.pack')).length > mostPacks
  }

  async tidy(): Promise<void> {
    await this.git(['gc', '--quiet'])
  }

  failed({ code, stderr }: Pick<GitOutcome, 'code' | 'stderr'>): MoatError {
    const said = stderr.trim() || `exit code ${code}`
    return new MoatError('SNAPSHOT_FAILED', `git failed in moat's store of snapshots, ${this.directory}: ${said}`, {
      suggestions: [`git -C ${shellQuote(this.directory)} fsck`],
    })
  }
}

const environment = { GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1', GIT_CONFIG_SYSTEM: '/dev/null' }

function digest(path: string): string {
  return createHash('sha256').update(path).digest('hex').slice(0, 32)
}
