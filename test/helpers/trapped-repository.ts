// A repository in which an agent may have set traps, and what tells whether one has been stepped on. It is made once for a file of
// tests, and each has a copy.
import { chmodSync, cpSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest'
import { GitRepository } from './git-repository.js'
import { Sandbox } from './sandbox.js'

export class TrappedRepository {
  readonly #before = { ...process.env }
  #repository: GitRepository | undefined
  #sandbox: Sandbox | undefined

  /** For the tests of the file that calls this. */
  constructor() {
    beforeAll(() => this.#make())
    beforeEach(() => this.#copy())
    afterEach(() => {
      for (const name of Object.keys(process.env)) if (!(name in this.#before)) delete process.env[name]
      Object.assign(process.env, this.#before)
    })
    afterAll(() => this.sandbox.cleanUp())
  }

  get repository(): GitRepository {
    if (!this.#repository) throw new Error('there is a repository in tests only')
    return this.#repository
  }

  get sandbox(): Sandbox {
    if (!this.#sandbox) throw new Error('there is a sandbox in tests only')
    return this.#sandbox
  }

  /** The repository's own directory. */
  get own(): string {
    return join(this.repository.directory, '.git')
  }

  /** There once a trap was stepped on. */
  get marker(): string {
    return this.place('pwned')
  }

  /** A program that nobody is to run. */
  get trap(): string {
    return this.place('traps/trap')
  }

  get remote(): string {
    return this.place('remote.git')
  }

  /** A path beside the repository. */
  place(name: string): string {
    return join(this.repository.directory, '..', name)
  }

  directory(name: string, files: Record<string, string> = {}): string {
    return this.sandbox.directory(join('now', name), files)
  }

  config(...args: string[]): string {
    return this.repository.git('config', ...args)
  }

  hook(directory: string, name: string): void {
    mkdirSync(directory, { recursive: true })
    writeFileSync(join(directory, name), `#!/bin/sh\ntouch ${this.marker}\n`)
    chmodSync(join(directory, name), 0o755)
  }

  /** Plain git, whose failure does not matter. */
  plainly(...args: string[]): void {
    try {
      this.repository.git(...args)
    } catch {}
  }

  addWorktree(): void {
    this.plainly('worktree', 'add', '--quiet', '-b', 'plain', this.place('plain'))
  }

  /** A config that names a hook. */
  evilConfig(): string {
    const hooks = this.directory('hooks')
    this.hook(hooks, 'post-checkout')
    return join(this.directory('elsewhere', { config: `[core]\n\thooksPath = ${hooks}\n` }), 'config')
  }

  /** git compares what is in a file only where its time is not the one it knows. */
  touch(root: string = this.repository.directory): Promise<void> {
    return utimes(join(root, 'some.data'), new Date(), new Date())
  }

  isStepped(): boolean {
    return existsSync(this.marker)
  }

  #make(): void {
    this.#sandbox = new Sandbox()
    const repository = new GitRepository(this.#sandbox, 'made/app', {
      '.gitattributes': '*.data filter=evil diff=evil merge=evil\n',
      'some.data': 'data',
    })
    repository.git('clone', '--quiet', '--bare', '.', join(repository.directory, '../remote.git'))
    repository.git('branch', 'theirs')
    // Relative, so that a copy has its own.
    repository.git('remote', 'add', 'origin', '../remote.git')
    repository.git('push', '--quiet', 'origin', 'theirs')
    repository.git('branch', '-D', 'theirs')
  }

  #copy(): void {
    const [made, now] = [this.sandbox.directory('made'), this.sandbox.directory('now')]
    for (const path of [now, this.sandbox.home]) rmSync(path, { force: true, recursive: true })
    cpSync(made, now, { preserveTimestamps: true, recursive: true })
    this.#repository = new GitRepository(this.sandbox, 'now/app', 'there')
    this.hook(this.place('traps'), 'trap')
    Object.assign(process.env, this.sandbox.env, { MOAT_HOME: this.sandbox.home })
  }
}
