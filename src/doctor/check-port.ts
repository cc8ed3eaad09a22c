// Owns the check of the proxy's port: whose it is, or whether it can be had.
import { CaddyAdmin } from '../caddy/admin.js'
import { portOf } from '../caddy/to-caddy-config.js'
import { MoatError } from '../errors.js'
import { listenPorts } from '../routing/urls.js'
import { bindPorts } from '../supervisor/bind-ports.js'
import { addressOf } from '../supervisor/protocol.js'
import { type DoctorContext, type Finding, fail, failure, ok, warn } from './diagnosis.js'

export async function checkPort({ paths, proxy, wanted: ask }: DoctorContext): Promise<Finding[]> {
  const wanted = await ask()
  const running = await proxy()
  if (running) {
    const problem = [
      ...(running.problem === undefined ? [] : [fail('proxy', running.problem, [`tail ${paths.supervisorLog}`])]),
      ...domainFinding(addressOf(running).domain, wanted.domain),
    ]
    if (!wanted.explicit || wanted.port === 0 || listenPorts(running.port).includes(wanted.port))
      return [ok('port', `The routing proxy serves port ${running.port} (pid ${running.supervisor.pid}).`), ...problem]
    const message = `The routing proxy serves port ${running.port}, but port ${wanted.port} is asked for.`
    return [warn('port', message, [`moat proxy stop && moat proxy start --port ${wanted.port}`]), ...problem]
  }
  if (wanted.port === 0) return [ok('port', 'The proxy is not running; it will take any free port.')]
  return [await tryPort(wanted.port, paths.adminSocket)]
}

function domainFinding(running: string, wanted: string): Finding[] {
  if (running === wanted) return []
  const message = `The routing proxy serves the domain ${running}, but proxy.domain in config.yaml is ${wanted}.`
  return [warn('domain', message, ['moat proxy stop && moat proxy start'])]
}

async function tryPort(port: number, adminSocket: string): Promise<Finding> {
  try {
    ;(await bindPorts(port)).close()
    return ok('port', `Port ${port} is free; the proxy is not running.`)
  } catch (error) {
    if (!(error instanceof MoatError)) throw error
    if (error.code === 'PORT_DENIED') return warn('port', error.message, error.suggestions ?? [])
    const orphan = await new CaddyAdmin(adminSocket).readConfig().catch(() => undefined)
    // Which check-leftovers tells about.
    if (orphan && portOf(orphan) === port) return ok('port', `Port ${port} is served by moat's own Caddy.`)
    return failure('port', error)
  }
}
