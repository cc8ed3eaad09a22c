// Owns the check of leftovers: ended runs, unused images, and what processes that were killed have left behind.
import { access } from 'node:fs/promises'
import { connect } from 'node:net'
import { findLeftovers, type Leftovers } from '../agents/clean.js'
import { displayPath, type MoatPaths } from '../config/paths.js'
import { shellQuote } from '../config/shell-quote.js'
import { MoatError } from '../errors.js'
import { takeFileLock } from '../processes/file-lock.js'
import { ownCaddys } from '../upkeep/own-processes.js'
import { describeSilence } from '../upkeep/silent-supervisor.js'
import { type DoctorContext, type Finding, fail, ok, warn } from './diagnosis.js'

export async function checkLeftovers(context: DoctorContext): Promise<Finding[]> {
  const findings = [...(await onEngine(context)), ...(await ofProcesses(context))]
  return findings.length > 0 ? findings : [ok('leftovers', 'None.')]
}

async function onEngine({ connectEngine }: DoctorContext): Promise<Finding[]> {
  // Without an engine nothing can be known of it, and the check of the engine says so already.
  const engine = await connectEngine().catch(() => undefined)
  if (!engine) return []
  const { agents, images, services } = await findLeftovers(engine).catch(unlessKeyIsRefused)
  const parts = [
    ...(agents.length > 0 ? [`${agents.length} ended ${agents.length === 1 ? 'run' : 'runs'}`] : []),
    ...(services.length > 0
      ? [`${services.length} ${services.length === 1 ? 'service' : 'services'} of runs that have ended`]
      : []),
    ...(images.length > 0 ? [`${images.length} unused ${images.length === 1 ? 'image' : 'images'}`] : []),
  ]
  return parts.length > 0 ? [warn('leftovers', `On the engine: ${parts.join(', ')}.`, ['moat clean'])] : []
}

/** The check of agents tells of that. */
function unlessKeyIsRefused(error: unknown): Leftovers {
  if (error instanceof MoatError && error.code === 'SEAL_KEY')
    return { agents: [], images: [], networks: [], services: [], volumes: [] }
  throw error
}

async function ofProcesses({ paths, proxy }: DoctorContext): Promise<Finding[]> {
  if (await proxy()) return []
  if (await isSupervised(paths)) {
    const { message, suggestions } = await describeSilence(paths)
    return [fail('leftovers', message, suggestions)]
  }
  const [caddy] = await ownCaddys(paths)
  if (caddy && (await accepts(paths.adminSocket))) {
    const message = 'Caddy serves without its supervisor, which was killed. The next start of an agent adopts it.'
    return [warn('leftovers', message, ['moat proxy status   # gives it a supervisor', 'moat proxy stop'])]
  }
  if (caddy) {
    const message = `A Caddy of moat's (pid ${caddy.pid}) runs, but cannot be reached.`
    return [warn('leftovers', message, ['moat proxy status   # replaces it', 'moat proxy stop'])]
  }
  const stale = await existing([paths.controlSocket, paths.adminSocket])
  if (stale.length === 0) return []
  const message = `Sockets of killed processes: ${stale.map((path) => displayPath(path)).join(', ')}.`
  // Not a repair that moat does: a proxy that is starting at this moment has put its own there.
  return [warn('leftovers', message, [`rm -f ${stale.map(shellQuote).join(' ')}`])]
}

/** True when a supervisor holds its lock. */
async function isSupervised(paths: MoatPaths): Promise<boolean> {
  // Taking the lock would make its file.
  if ((await existing([paths.supervisorLock])).length === 0) return false
  const lock = await takeFileLock(paths.supervisorLock)
  await lock?.release()
  return lock === undefined
}

function accepts(socket: string): Promise<boolean> {
  return new Promise((resolve) => {
    const connection = connect(socket)
    connection.once('connect', () => {
      connection.destroy()
      resolve(true)
    })
    connection.once('error', () => resolve(false))
  })
}

async function existing(files: string[]): Promise<string[]> {
  const found = await Promise.all(
    files.map((file) =>
      access(file).then(
        () => [file],
        () => [],
      ),
    ),
  )
  return found.flat()
}
