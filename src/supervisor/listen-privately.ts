// Owns unix sockets that only this user can open, and that stay: a server whose file is removed or replaced makes it again.
import type { Server } from 'node:net'
import { clearPath } from '../config/clear-path.js'
import { fileMark } from '../upkeep/file-mark.js'

/** How often it is looked at whether the file is still there. Milliseconds. */
const lookInterval = 500

export interface PrivateListener {
  /** The file may go from now on. Connections and server are the caller's to close. */
  release(): void
}

/** The caller holds the supervisor lock, so a file in the socket's place is a dead supervisor's. */
export async function listenPrivately(server: Server, path: string): Promise<PrivateListener> {
  let mark = await listen(server, path)
  let making = false
  let released = false
  const look = async () => {
    if (making || fileMark(path) === mark) return
    making = true
    // Connections that are open stay so; only the file is another.
    if (server.listening) server.close()
    try {
      mark = await listen(server, path)
      if (released) server.close()
    } catch {
      // A full disk, perhaps: the next look tries again.
    }
    making = false
  }
  const timer = setInterval(look, lookInterval)
  timer.unref()
  return {
    release: () => {
      released = true
      clearInterval(timer)
    },
  }
}

async function listen(server: Server, path: string): Promise<string | undefined> {
  await clearPath(path)
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    // The file is made within this call: it never has another mode, not even for a moment.
    const mask = process.umask(0o177)
    server.listen(path, () => {
      server.off('error', reject)
      resolve()
    })
    process.umask(mask)
  })
  return fileMark(path)
}
