// Owns noticing that Caddy takes no connections any more though it runs. With the layer4 module (0.1.2) a listener ends for good at the
// first connection for which there is no descriptor; the system goes on queueing connections that nobody will ever answer.
import { connect } from 'node:net'

/** Neither TLS nor HTTP nor what a database's client begins with: such a connection is closed at once. */
const nonsense = Buffer.alloc(8, 1)
/**
 * Both in milliseconds. What is not closed in this time, on a machine however slow, will not be. Each look wakes Caddy, which else
 * sleeps for as long as nobody wants anything.
 */
const times = { deadline: 4_000, interval: 15_000 }

export interface FrontWatchOptions {
  onDeaf: () => void
  /** Asked before each look; none while there is nothing to look at. */
  ports: () => readonly number[]
}

/** Knocks on every port, again and again, until the returned function is called. */
export function watchFront({ onDeaf, ports }: FrontWatchOptions, { deadline, interval } = times): () => void {
  const ended = new AbortController()
  let timer: NodeJS.Timeout
  const look = async () => {
    const doors = ports().flatMap((port) => ['127.0.0.1', '::1'].map((host) => ({ host, port })))
    const taken = await Promise.all(doors.map((door) => isTaken(door, deadline, ended.signal)))
    if (ended.signal.aborted) return
    if (taken.includes(false)) onDeaf()
    wait()
  }
  const wait = () => {
    timer = setTimeout(() => void look(), interval)
  }
  wait()
  return () => {
    ended.abort()
    clearTimeout(timer)
  }
}

/** False when a connection is neither refused nor ended in time. */
function isTaken(door: { host: string; port: number }, deadline: number, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ ...door, signal }, () => socket.write(nonsense))
    // In two parts: a process that was itself kept from running finds its timers due before it hears what has long happened.
    let late = setTimeout(() => {
      late = setTimeout(() => finish(false), deadline / 2)
    }, deadline / 2)
    const finish = (taken: boolean) => {
      clearTimeout(late)
      socket.destroy()
      resolve(taken)
    }
    socket.on('error', () => finish(true)).on('close', () => finish(true))
    // Without a reader the end of it would not be seen.
    socket.resume()
  })
}
