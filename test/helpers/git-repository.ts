// A real git repository for a test, in a sandbox, with an identity of its own and nobody else's settings.
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Sandbox } from './sandbox.js'

/** Answers each request with the text of a file of its workspace. */
const server = `require('node:http')
  .createServer((request, response) => response.end(require('node:fs').readFileSync('text.txt', 'utf8')))
  .listen(3000)
`

export class GitRepository {
  readonly directory: string
  readonly #env: NodeJS.ProcessEnv

  /** A repository with one commit on main, or one that is there already. Has `sandbox` use its settings too. */
  constructor(sandbox: Sandbox, name = 'app', files: Record<string, string> | 'there' = {}) {
    const settings = join(sandbox.directory('.'), 'gitconfig')
    writeFileSync(settings, '[user]\n  name = Ann Host\n  email = ann@host.example\n[init]\n  defaultBranch = main\n')
    sandbox.env.GIT_CONFIG_GLOBAL = settings
    sandbox.env.GIT_CONFIG_NOSYSTEM = '1'
    this.#env = { ...process.env, GIT_CONFIG_GLOBAL: settings, GIT_CONFIG_NOSYSTEM: '1', LC_ALL: 'C' }
    if (files === 'there') {
      this.directory = sandbox.directory(name)
      return
    }
    this.directory = sandbox.directory(name, {
      'moat.yaml': 'name: app\ndependencies: [node@22]\nports: {web: 3000}\ncommand: [node, server.js]\n',
      'server.js': server,
      'text.txt': 'main',
      ...files,
    })
    this.git('init', '--quiet')
    this.commit('First commit')
  }

  /** Runs git in the repository (or in `-C` another directory); its output without the last line end. */
  git(...args: string[]): string {
    const options = { cwd: this.directory, encoding: 'utf8' as const, env: this.#env, stdio: 'pipe' as const }
    return execFileSync('git', args, options).replace(/\n$/, '')
  }

  /** Commits all there is in a checkout. */
  commit(message: string, directory: string = this.directory): void {
    this.git('-C', directory, 'add', '--all')
    this.git('-C', directory, 'commit', '--quiet', '--message', message)
  }

  branches(): string[] {
    return this.git('for-each-ref', '--format=%(refname:short)', 'refs/heads').split('\n')
  }

  /** Paths of the linked worktrees. */
  worktrees(): string[] {
    const lines = this.git('worktree', 'list', '--porcelain').split('\n')
    return lines.flatMap((line) => (line.startsWith('worktree ') ? [line.slice('worktree '.length)] : [])).slice(1)
  }
}
