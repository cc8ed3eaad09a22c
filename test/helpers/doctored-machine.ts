// A machine for the checks of `moat doctor` that need neither engine nor Caddy: a home of its own, and servers in it.
import { once } from 'node:events'
import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { moatPaths } from '../../src/config/paths.js'
import type { DoctorContext } from '../../src/doctor/diagnosis.js'

export class DoctoredMachine {
  readonly context: DoctorContext
  readonly home = realpathSync(mkdtempSync(join(tmpdir(), 'moat-doctor-')))
  readonly #servers: Server[] = []

  constructor() {
    this.context = {
      connectEngine: () => Promise.reject(new Error('no engine')),
      env: { PATH: '' },
      paths: moatPaths({ MOAT_HOME: this.home }),
      platform: 'linux',
      proxy: async () => undefined,
      wanted: async () => ({ domain: 'localhost', explicit: false, port: 0, source: 'default' }),
    }
  }

  /** On a port of the loopback, or at a path; resolves with the port. */
  async listen(target: number | string): Promise<number> {
    const server = createServer((socket) => socket.destroy())
    this.#servers.push(server)
    server.listen(typeof target === 'number' ? { host: '127.0.0.1', port: target } : { path: target })
    await once(server, 'listening')
    const address = server.address()
    return address && typeof address === 'object' ? address.port : 0
  }

  /** What listens no longer does. */
  close(): void {
    for (const server of this.#servers.splice(0)) server.close()
  }

  end(): void {
    this.close()
    rmSync(this.home, { force: true, recursive: true })
  }
}
