// An ordinary user of this machine who may use sudo and the container engine, with moat installed where they can read it.
// Making one takes root; nothing of it is left afterwards.
import { execFile, execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chmodSync, copyFileSync, cpSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import type { Outcome } from './sandbox.js'
import { requireProgram } from './trust-machine.js'

export class OrdinaryUser {
  readonly home: string
  readonly name = `moat-${randomBytes(3).toString('hex')}`
  /** The Node that runs their moat: a copy of their own. */
  readonly node: string
  readonly uid: number
  readonly #directory: string
  readonly #sudoers: string

  /** @param program the bin/run.js of an installed moat, which is copied with all that is installed beside it. */
  constructor(program: string) {
    if (process.getuid?.() !== 0) {
      throw new Error('This test makes a user for itself, which takes root: sudo -E env "PATH=$PATH" ./scripts/test')
    }
    for (const program of ['sudo', 'setcap', 'useradd', 'runuser']) requireProgram(program, 'sudo libcap2-bin passwd')
    this.#directory = mkdtempSync(join(tmpdir(), 'moat-user-'))
    chmodSync(this.#directory, 0o755)
    this.#sudoers = `/etc/sudoers.d/${this.name}`
    const group = execFileSync('getent', ['group', String(statSync('/var/run/docker.sock').gid)], { encoding: 'utf8' })
    execFileSync('useradd', ['--create-home', '--shell', '/bin/sh', '--groups', group.split(':')[0] ?? '', this.name])
    const [, , uid, , , home] = execFileSync('getent', ['passwd', this.name], { encoding: 'utf8' }).trim().split(':')
    this.uid = Number(uid)
    this.home = home ?? ''
    writeFileSync(this.#sudoers, `${this.name} ALL=(ALL) NOPASSWD: ALL\n`, { mode: 0o440 })
    this.node = join(this.#directory, 'node')
    this.#install(resolve(program, '../../..'))
  }

  /** Runs a shell script as the user, in a login shell, in which `moat` and `sudo moat` work. */
  run(script: string): Outcome {
    try {
      const stdout = execFileSync('runuser', this.#argv(script), {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      return { code: 0, stderr: '', stdout }
    } catch (error) {
      const { status, stderr, stdout } = error as { status: number; stderr: string; stdout: string }
      return { code: status, stderr, stdout }
    }
  }

  /** Like `run`, for a script that must succeed. */
  output(script: string): string {
    const { code, stderr, stdout } = this.run(script)
    if (code !== 0) throw new Error(`${script} exited with ${code}: ${stdout}${stderr}`)
    return stdout
  }

  /** Like `output`, while this process goes on: what it serves can be asked for. */
  async outputMeanwhile(script: string): Promise<string> {
    return (await promisify(execFile)('runuser', this.#argv(script))).stdout
  }

  /** Takes everything away. Fails when moat left processes behind. */
  cleanUp(): void {
    this.run('moat proxy stop')
    const containers = execFileSync('docker', ['ps', '-aq', '--filter', `label=dev.moat.home=${this.home}/.moat`], {
      encoding: 'utf8',
    })
    for (const id of containers.split('\n').filter(Boolean)) execFileSync('docker', ['rm', '-f', id], { stdio: 'pipe' })
    const left = this.#processes()
    for (const pid of left) process.kill(pid, 'SIGKILL')
    execFileSync('userdel', ['--force', '--remove', this.name], { stdio: 'pipe' })
    rmSync(this.#sudoers, { force: true })
    rmSync(this.#directory, { force: true, recursive: true })
    if (left.length > 0) throw new Error(`processes of ${this.name} were left behind`)
  }

  #argv(script: string): string[] {
    return ['-l', this.name, '-c', `moat() { ${this.#program} "$@"; }; ${this.#withSudo(script)}`]
  }

  get #program(): string {
    return `${this.node} ${join(this.#directory, 'node_modules/moat-cli/bin/run.js')}`
  }

  /** sudo does not know the shell's functions. */
  #withSudo(script: string): string {
    return script.replaceAll('sudo moat', `sudo ${this.#program}`)
  }

  #install(packages: string): void {
    copyFileSync(process.execPath, this.node)
    chmodSync(this.node, 0o755)
    cpSync(packages, join(this.#directory, 'node_modules'), { recursive: true, verbatimSymlinks: true })
    const caddy = process.env.MOAT_CADDY ?? requireProgram('caddy', 'Caddy 2.10 or newer, or set MOAT_CADDY')
    copyFileSync(caddy, join(this.#directory, 'caddy'))
    chmodSync(join(this.#directory, 'caddy'), 0o755)
    this.output(`mkdir -p ~/.moat/bin && cp ${join(this.#directory, 'caddy')} ~/.moat/bin/caddy`)
  }

  /** Known by the paths of their programs, never by user id alone: a container of somebody else's may run under the same. */
  #processes(): number[] {
    const table = execFileSync('ps', ['-eo', 'pid=,args='], { encoding: 'utf8' })
    return table.split('\n').flatMap((line) => {
      const theirs = line.includes(`${this.#directory}/`) || line.includes(`${this.home}/.moat/`)
      return theirs ? [Number.parseInt(line, 10)] : []
    })
  }
}
