// Owns stopping the guard's own agent at once, by signals, until the engine has paused it: an engine takes tens of milliseconds for
// that, in which the agent could write on. A guard that is killed leaves nobody stopped.
import { type ChildProcess, spawn } from 'node:child_process'
import { setTimeout as wait } from 'node:timers/promises'
import { continueGroup, findGroup, stopGroup } from '../processes/container-group.js'

/** Looks for the container's processes, which are there once it runs: between the first two, between the last two, and how many. */
const looks = { first: 20, longest: 2_000, most: 60 }
/** Told whom we stop before we do. The end of its input, also by our death, has it let them go on. */
const waker = `trap "" HUP INT TERM
pids=
while read -r line; do pids=$line; done
[ -z "$pids" ] || kill -CONT $pids`

export class Stopper {
  #containerId: string | undefined
  #file: string | undefined
  #isClosed = false
  readonly #stopped = new Set<number>()
  #waker: ChildProcess | undefined

  /** Finds the processes of a container that is about to run. On other systems than Linux there is nothing to find. */
  async attach(containerId: string): Promise<void> {
    if (process.platform !== 'linux') return
    this.#containerId = containerId
    let pause = looks.first
    for (let look = 0; look < looks.most && !this.#isClosed; look += 1) {
      if (this.#find()) return
      await wait(pause, undefined, { ref: false })
      pause = Math.min(pause * 2, looks.longest)
    }
  }

  /** The same for those that a file lists. For its test: the waker. */
  attachTo(file: string): ChildProcess {
    const child = spawn('sh', ['-c', waker], { cwd: '/', detached: true, stdio: ['pipe', 'ignore', 'ignore'] })
    // Nobody is stopped without one.
    child.on('error', () => {
      this.#containerId = undefined
      this.#file = undefined
    })
    child.stdin.on('error', () => {})
    child.unref()
    this.#waker = child
    this.#file = file
    return child
  }

  /** Nothing where the agent's processes are not known, or not ours to stop. */
  stop(): void {
    // It may have begun since the last look.
    if (!this.#find() || this.#file === undefined || !this.#waker?.stdin?.writable) return
    stopGroup(this.#file, (pids) => {
      for (const pid of pids) this.#stopped.add(pid)
      this.#tell()
    })
  }

  goOn(): void {
    if (this.#file === undefined || this.#stopped.size === 0) return
    continueGroup(this.#file, this.#stopped)
    this.#stopped.clear()
    this.#tell()
  }

  close(): void {
    this.goOn()
    this.#isClosed = true
    this.#waker?.stdin?.end()
  }

  #find(): boolean {
    if (this.#file !== undefined) return true
    const file = this.#containerId === undefined ? undefined : findGroup(this.#containerId)
    if (file !== undefined) this.attachTo(file)
    return file !== undefined
  }

  /** A small write to a pipe with room is made before this returns. */
  #tell(): void {
    this.#waker?.stdin?.write(`${[...this.#stopped].join(' ')}\n`)
  }
}
