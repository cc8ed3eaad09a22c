// A real shell in a real terminal: tmux has the terminal, tests type into it and read the screen.
import { execFile, execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { shellQuote } from '../../src/config/shell-quote.js'
import { until } from './until.js'

const run = promisify(execFile)

export class ShellTerminal {
  readonly #directory: string
  readonly #socket: string

  /**
   * Starts `shell`, without anybody's settings, where `moat` is this checkout's.
   * @param options.cwd the working directory; the commands of `options.setUp` run first.
   */
  constructor(shell: 'bash' | 'zsh', options: { cwd: string; env: NodeJS.ProcessEnv; setUp: string[] }) {
    for (const program of ['tmux', shell]) assertProgram(program)
    this.#directory = mkdtempSync(join(tmpdir(), 'moat-term-'))
    this.#socket = join(this.#directory, 'tmux')
    const bin = join(this.#directory, 'bin')
    mkdirSync(bin)
    writeFileSync(join(bin, 'moat'), `#!/bin/sh\nexec ${process.execPath} ${resolve('bin/run.js')} "$@"\n`, {
      mode: 0o755,
    })
    // The prompt comes last, so that it is there only once everything is set up.
    const prompt = shell === 'bash' ? "PS1='% '; PROMPT_COMMAND=" : "PROMPT='%% '; RPROMPT="
    const rc = join(this.#directory, shell === 'bash' ? 'bashrc' : '.zshrc')
    writeFileSync(rc, [...options.setUp, prompt, ''].join('\n'))
    const command = shell === 'bash' ? `bash --noprofile --rcfile ${shellQuote(rc)} -i` : 'zsh -d -i'
    const env = { ...options.env, PATH: `${bin}:${process.env.PATH}`, ZDOTDIR: this.#directory }
    const start = ['-f', '/dev/null', 'new-session', '-d', '-x', '100', '-y', '30', command]
    execFileSync('tmux', ['-S', this.#socket, ...start], { cwd: options.cwd, env })
  }

  /** Types text, and keys by tmux's names, such as `Tab`. */
  async type(text: string, ...keys: string[]): Promise<void> {
    if (text !== '') await this.#tmux('send-keys', '-l', text)
    for (const key of keys) await this.#tmux('send-keys', key)
  }

  /** What is on the screen, without empty lines at the end. A space at a line's end counts. */
  async screen(): Promise<string> {
    return (await this.#tmux('capture-pane', '-p', '-N')).replace(/\s*$/, (end) => end.split('\n')[0] ?? '')
  }

  /** Waits until the screen fits; the error shows what it was instead. */
  async shows(what: string | RegExp, deadline?: number): Promise<string> {
    let screen = ''
    const fits = async () => {
      screen = await this.screen()
      return (typeof what === 'string' ? screen.includes(what) : what.test(screen)) && screen
    }
    return until(`${what} on the screen`, fits, deadline).catch((error) => {
      throw new Error(`${error.message}\nThe screen:\n${screen}`)
    })
  }

  /**
   * Types a line and presses these keys until the screen fits, as a person does: an engine that does not answer at once is not
   * waited for, and the next TAB asks it again.
   */
  async completes(line: string, what: string | RegExp, ...keys: string[]): Promise<string> {
    await this.type(line)
    const end = performance.now() + 30_000
    for (;;) {
      await this.type('', ...keys)
      try {
        return await this.shows(what, 5_000)
      } catch (error) {
        if (performance.now() > end) throw error
      }
    }
  }

  /** An empty line, on an empty screen. */
  async clear(): Promise<void> {
    await this.type('', 'C-e', 'C-u', 'C-l')
    await this.shows(/^% *$/)
  }

  close(): void {
    execFileSync('tmux', ['-S', this.#socket, 'kill-server'])
    rmSync(this.#directory, { force: true, recursive: true })
  }

  async #tmux(...args: string[]): Promise<string> {
    return (await run('tmux', ['-S', this.#socket, ...args])).stdout
  }
}

function assertProgram(program: string): void {
  try {
    execFileSync(program, [program === 'tmux' ? '-V' : '--version'], { stdio: 'ignore' })
  } catch {
    throw new Error(
      `This test drives a real ${program}, and there is none: apt-get install -y tmux zsh, or brew install tmux zsh`,
    )
  }
}
