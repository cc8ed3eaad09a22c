// A moat of its own for each test: a temporary MOAT_HOME, any free port, and a clean-up that leaves nothing behind.
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { request as requestPlainly } from 'node:http'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import Docker from 'dockerode'
import { CaddyAdmin } from '../../src/caddy/admin.js'
import type { CaddyConfig } from '../../src/caddy/to-caddy-config.js'
import { askKeptMoat, interruptKeptMoat } from './kept-moat.js'
import { runInside } from './run-inside.js'
import { until } from './until.js'

const run = promisify(execFile)

const ownProgram = resolve('bin/run.js')

/**
 * Where this checkout's moat keeps compiled code: each home would have nothing yet, as no user's has for more than one command. The packed
 * one, whose tests see how moat itself keeps it, has none of this.
 */
const compiled = resolve('node_modules/.cache/moat-compiled')

export interface Outcome {
  code: number
  stderr: string
  stdout: string
}

export interface Answer {
  body: string
  headers: Record<string, string | string[] | undefined>
  status: number
}

/** A `moat` process that is still running. */
export class RunningMoat {
  stderr = ''
  stdout = ''
  readonly exited: Promise<Outcome>
  readonly process: ChildProcess

  constructor(process: ChildProcess) {
    this.process = process
    process.stdout?.on('data', (chunk) => {
      this.stdout += chunk
    })
    process.stderr?.on('data', (chunk) => {
      this.stderr += chunk
    })
    this.exited = new Promise((resolve) => {
      process.once('close', (code) => resolve({ code: code ?? -1, stderr: this.stderr, stdout: this.stdout }))
    })
  }

  /** Waits until its output contains a text. */
  async prints(text: string): Promise<void> {
    await until(`"${text}" in the output`, () => (this.stdout + this.stderr).includes(text), 30_000).catch((error) => {
      throw new Error(`${error.message}\nstdout: ${this.stdout}\nstderr: ${this.stderr}`)
    })
  }
}

export class Sandbox {
  readonly docker = new Docker()
  readonly env: NodeJS.ProcessEnv
  readonly home: string
  /** False where it matters that the processes of commands have ended. */
  keepsProcess = true
  readonly #directory: string
  /** The variables it began with. */
  readonly #env: NodeJS.ProcessEnv
  /** Where its directories are: another one for each test that shares it. */
  #place: string
  readonly #program: string[]
  readonly #running = new Set<RunningMoat>()

  /** @param program the command line of moat; default: this checkout's. */
  constructor(program: string[] = [process.execPath, ownProgram]) {
    // Short, because unix socket paths are limited to 103 bytes.
    this.#directory = mkdtempSync(join(tmpdir(), 'moat-'))
    this.#place = this.#directory
    this.home = join(this.#directory, 'home')
    this.#program = program
    const own = { MOAT_HOME: this.home, MOAT_KEYCHAIN: 'off', MOAT_PROFILE: '', MOAT_PROXY_PORT: '0', NO_COLOR: '1' }
    this.env = { ...process.env, ...own, ...(program.includes(ownProgram) && { NODE_COMPILE_CACHE: compiled }) }
    this.#env = { ...this.env }
  }

  get certificate(): string {
    return readFileSync(join(this.home, 'proxy/ca/ca.crt'), 'utf8')
  }

  /** A directory of the sandbox, with these files in it. */
  directory(name: string, files: Record<string, string> = {}): string {
    const directory = join(this.#place, name)
    mkdirSync(directory, { recursive: true })
    for (const [file, text] of Object.entries(files)) writeFileSync(join(directory, file), text)
    return directory
  }

  /** A workspace whose agent serves on `ports`, answering each request with its own name and the port. */
  workspace(name: string, ports: Record<string, number> = { web: 3000 }, extra = ''): string {
    return this.directory(name, {
      'moat.yaml': `name: ${name}\ndependencies: [node@22]\nports: ${JSON.stringify(ports)}\ncommand: [node, server.js]\n${extra}`,
      'server.js': `for (const port of ${JSON.stringify(Object.values(ports))})
  require('node:http').createServer((request, response) => response.end(process.env.MOAT_RUN_NAME + ' ' + port)).listen(port)
console.log('listening')
`,
    })
  }

  /** Runs a moat command to its end, in a process of its own. */
  async moat(
    args: string[],
    options: { asks?: boolean; cwd?: string; env?: NodeJS.ProcessEnv } = {},
  ): Promise<Outcome> {
    return this.start(args, options).exited
  }

  /** As `moat`, for what a command does and says, not its process: this checkout's moat stays for the next one, unless it is at another. */
  async told(
    args: string[],
    options: { asks?: boolean; cwd?: string; env?: NodeJS.ProcessEnv } = {},
  ): Promise<Outcome> {
    const { asks = false, cwd = this.#place, env } = options
    const command = { args: asks ? args : allowing(args), cwd, env: { ...this.env, ...env } }
    const kept = this.keepsProcess && this.#program[1] === ownProgram ? askKeptMoat(command) : undefined
    return kept ?? this.moat(args, options)
  }

  /** Runs a moat command that must succeed and prints JSON, as `told` does. */
  async json<T>(args: string[], options: { cwd?: string; env?: NodeJS.ProcessEnv } = {}): Promise<T> {
    const outcome = await this.told([...args, '--json'], options)
    if (outcome.code !== 0)
      throw new Error(`moat ${args.join(' ')} exited with ${outcome.code}: ${outcome.stdout}${outcome.stderr}`)
    return JSON.parse(outcome.stdout) as T
  }

  /** Starts a moat command and leaves it running. What moat.yaml asks for is allowed, unless it `asks`. */
  start(
    args: string[],
    options: { asks?: boolean; cwd?: string; env?: NodeJS.ProcessEnv; keepStdin?: boolean; stdin?: string } = {},
  ): RunningMoat {
    const [program = '', ...prefix] = this.#program
    const child = spawn(program, [...prefix, ...(options.asks ? args : allowing(args))], {
      cwd: options.cwd ?? this.#place,
      env: { ...this.env, ...options.env },
      stdio: [options.stdin === undefined && !options.keepStdin ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    })
    if (!options.keepStdin) child.stdin?.end(options.stdin)
    const running = new RunningMoat(child)
    this.#running.add(running)
    void running.exited.then(() => this.#running.delete(running))
    return running
  }

  /** Runs a program in the container of an agent that runs, by its name. */
  async inside(agent: string, ...command: string[]): Promise<Outcome> {
    const found = (await this.containers()).find(
      ({ Labels, State }) => State === 'running' && Labels['dev.moat.name'] === agent,
    )
    if (!found) throw new Error(`no container of ${agent} runs`)
    return runInside(this.docker.getContainer(found.Id), command)
  }

  /** Asks a URL of the proxy, trusting the sandbox's CA only. */
  get(
    url: string,
    options: { body?: string; headers?: Record<string, string>; method?: string; servername?: string } = {},
  ): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const outgoing = request(
        url,
        {
          agent: false,
          ca: this.certificate,
          headers: options.headers ?? {},
          method: options.method ?? 'GET',
          // Else Node would ask for a certificate of whatever the Host header says.
          servername: options.servername ?? new URL(url).hostname,
          // Not every system resolver knows *.localhost; clients that matter map it to loopback themselves.
          lookup: (_host, _options, callback) => callback(null, [{ address: '127.0.0.1', family: 4 }]),
          timeout: 15_000,
        },
        (response) => {
          let body = ''
          response.setEncoding('utf8')
          response.on('data', (chunk) => {
            body += chunk
          })
          response.on('end', () => resolve({ body, headers: response.headers, status: response.statusCode ?? 0 }))
          response.on('error', reject)
        },
      )
      outgoing.on('timeout', () => outgoing.destroy(new Error(`${url} did not answer`)))
      outgoing.on('error', reject)
      outgoing.end(options.body)
    })
  }

  /** What Caddy serves now. */
  caddyConfig(): Promise<CaddyConfig> {
    return new CaddyAdmin(join(this.home, 'proxy/admin.sock')).readConfig()
  }

  /** What the proxy's supervisor or Caddy has written. */
  log(program: 'caddy' | 'supervisor'): string {
    return readFileSync(join(this.home, `proxy/${program}.log`), 'utf8')
  }

  /** The sandbox's containers, running or not. */
  containers(): Promise<Docker.ContainerInfo[]> {
    return this.docker.listContainers({ all: true, filters: { label: [`dev.moat.home=${this.home}`] } })
  }

  /** Pids of the sandbox's supervisors, doorkeepers, gates and Caddys, by what their command lines or environments say. */
  async processes(): Promise<{ caddys: number[]; doorkeepers: number[]; gates: number[]; supervisors: number[] }> {
    const { stdout } = await run('ps', ['axeww', '-o', 'pid=,command='])
    const mine = stdout.split('\n').filter((line) => line.includes(this.home))
    const pids = (pattern: RegExp) => mine.filter((line) => pattern.test(line)).map((line) => Number.parseInt(line, 10))
    const doorkeepers = pids(/^\s*\d+ \S*forwarder\/linux-\w+ doors /)
    return {
      caddys: pids(/^\s*\d+ \S*caddy run/),
      doorkeepers,
      gates: pids(/bin\/gate\.js/),
      supervisors: pids(/bin\/supervisor\.js/),
    }
  }

  /** Pids of those that watch repositories and workspaces for its agents; each ends with its agent. */
  async guards(): Promise<number[]> {
    const { stdout } = await run('ps', ['axww', '-o', 'pid=,command='])
    const mine = stdout
      .split('\n')
      .filter((line) => /bin\/(guard|triggers)\.js \{/.test(line) && line.includes(`"${this.home}"`))
    return mine.map((line) => Number.parseInt(line, 10))
  }

  /**
   * For the next test of a file that shares it: without agents, with the variables it began with, and in an empty directory of its own. Its
   * home and its proxy stay; a proxy that is not to end in between is one that `proxy start` has started.
   */
  async renew(): Promise<void> {
    await this.#end()
    for (const name of Object.keys(this.env)) if (!(name in this.#env)) delete this.env[name]
    Object.assign(this.env, this.#env)
    this.#place = mkdtempSync(join(this.#directory, 'next-'))
  }

  /** Ends its commands and its agents. */
  async #end(): Promise<void> {
    const commands = [...this.#running].map(({ process }) => process)
    for (const command of commands) command.kill('SIGKILL')
    await interruptKeptMoat()
    // Until then one may still have an agent made.
    await Promise.all(commands.map((command) => command.exitCode ?? command.signalCode ?? once(command, 'exit')))
    const containers = (await this.containers()).map(({ Id }) => this.docker.getContainer(Id))
    await Promise.all(containers.map((container) => container.remove({ force: true })))
  }

  async cleanUp(): Promise<void> {
    const processes = async () => Object.values(await this.processes()).flat()
    // A command that is ended here may have started what is not to be seen yet.
    const cut = this.#running.size > 0
    await this.#end()
    // Most tests have no proxy, and a command costs more than asking its supervisor, which only one that is well answers.
    if (cut || ((await processes()).length > 0 && !(await this.#stopProxy()))) await this.moat(['proxy', 'stop'])
    // A supervisor that was stopping by itself may still be at it.
    await until('the end of every process', async () => (await processes()).length === 0, 10_000).catch(() => {})
    const left = await processes()
    for (const pid of left) process.kill(pid, 'SIGKILL')
    await until('the end of every guard', async () => (await this.guards()).length === 0)
    rmSync(this.#directory, { force: true, recursive: true })
    if (left.length > 0) throw new Error('moat proxy stop left processes behind')
  }

  /** As `moat proxy stop` asks for it; false when nobody says that it was done. */
  #stopProxy(): Promise<boolean> {
    return new Promise((resolve) => {
      const options = {
        method: 'POST',
        path: '/stop',
        socketPath: join(this.home, 'proxy/control.sock'),
        timeout: 20_000,
      }
      const outgoing = requestPlainly(options, (response) => resolve(response.resume().statusCode === 200))
      outgoing.on('timeout', () => outgoing.destroy())
      outgoing.on('error', () => resolve(false)).end()
    })
  }
}

/** Nobody answers the question of a test's run. */
function allowing(args: string[]): string[] {
  const [command = '', next = ''] = args
  const runs = command === 'run' || (command === 'wt' && next !== 'list' && next !== 'clean')
  return runs ? [command, '--yes', ...args.slice(1)] : args
}
