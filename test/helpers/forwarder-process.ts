// A process of the forwarder's on this machine: the one that serves, not the program in front of which it was started.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { until } from './until.js'

/** `MOAT_FORWARDER` names another, such as one that was compiled with a sanitizer. */
export const forwarderProgram =
  process.env.MOAT_FORWARDER ?? resolve(`forwarder/linux-${process.arch === 'x64' ? 'amd64' : process.arch}`)

const read = (pid: number | string, file: string) => {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8')
  } catch {
    // It has ended meanwhile.
    return ''
  }
}

export class ForwarderProcess {
  readonly pid: number
  readonly program: ChildProcess

  private constructor(pid: number, program: ChildProcess) {
    this.pid = pid
    this.program = program
  }

  /** Starts `call` in front of `cat`; `mark` is one of its arguments, which no other process has. */
  static async start(call: string[], mark: string): Promise<ForwarderProcess> {
    const [file = '', ...args] = [...call, '--', 'cat']
    const program = spawn(file, args, { stdio: ['pipe', 'ignore', 'inherit'] })
    const find = () => {
      const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && name !== `${program.pid}`)
      const mine = pids.filter((pid) => read(pid, 'cmdline').split('\0').includes(mark))
      // The one that was started is the program by now, and not the parent of the one that serves.
      return mine.find((pid) => {
        const parent = /^PPid:\t(\d+)$/m.exec(read(pid, 'status'))?.[1]
        return parent !== undefined && parent !== `${program.pid}`
      })
    }
    return new ForwarderProcess(Number(await until('the process that serves', find)), program)
  }

  /** Starts `call`, which serves itself. */
  static startAlone(call: string[]): ForwarderProcess {
    const [file = '', ...args] = call
    const program = spawn(file, args, { stdio: ['ignore', 'ignore', 'inherit'] })
    return new ForwarderProcess(program.pid ?? 0, program)
  }

  /** Holds it up, so that what happens meanwhile comes to it at once. */
  stop(): void {
    process.kill(this.pid, 'SIGSTOP')
  }

  goOn(): void {
    process.kill(this.pid, 'SIGCONT')
  }

  /** Open descriptors. */
  descriptors(): number {
    return readdirSync(`/proc/${this.pid}/fd`).length
  }

  /** CPU time it has used. Hundredths of a second. */
  cpu(): number {
    const fields = read(this.pid, 'stat').split(') ')[1]?.split(' ') ?? []
    return Number(fields[11]) + Number(fields[12])
  }

  /** How often it has waited. */
  waits(): number {
    return Number(/^voluntary_ctxt_switches:\t(\d+)$/m.exec(read(this.pid, 'status'))?.[1])
  }

  /** Memory that it shares with no file. Kilobytes. */
  memory(): number {
    return Number(/^RssAnon:\s+(\d+) kB$/m.exec(read(this.pid, 'status'))?.[1])
  }

  async end(): Promise<void> {
    const ended = this.program.exitCode === null && !this.program.signalCode ? once(this.program, 'exit') : undefined
    this.program.stdin?.end()
    if (this.program.pid === this.pid) this.program.kill('SIGKILL')
    await ended
    if (this.program.pid !== this.pid) process.kill(this.pid, 'SIGKILL')
  }
}
