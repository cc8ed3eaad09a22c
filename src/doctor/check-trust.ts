// Owns the check of trust: programs of this machine, each with its own store of roots, shake hands with the running proxy.
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { connect } from 'node:tls'
import { promisify } from 'node:util'
import { trustCommands } from '../authority/trust-hint.js'
import { startAsInvokingUser } from '../config/invoking-user.js'
import { systemCode } from '../errors.js'
import { handshakePort } from '../routing/urls.js'
import { type DoctorContext, type Finding, fail, ok, warn } from './diagnosis.js'

/** For one handshake. Milliseconds. */
const deadline = 5_000

/** Undefined: it trusts the proxy. Text: why not. `absent`: there is no such program. */
type Verdict = { absent: true } | { reason: string } | undefined

export async function checkTrust({ paths, proxy }: DoctorContext): Promise<Finding[]> {
  const running = await proxy()
  if (!running) {
    const message = 'Not checked, because the proxy is not running: only a handshake tells.'
    return [warn('trust', message, ['moat proxy start --detach && moat doctor'])]
  }
  const port = handshakePort(running.port)
  // First with the root itself: if that fails, it is not about anybody's store.
  const own = await byNode(port, await readFile(paths.caCertificate, 'utf8'))
  if (own) {
    const message = `The proxy's certificate does not come from ${paths.caCertificate}: ${reasonOf(own)}.`
    return [fail('trust', message, ['moat proxy stop && moat proxy start --detach'])]
  }
  const verdicts: [program: string, verdict: Verdict][] = [
    ['curl', await byCurl(port)],
    ['openssl', await byOpenssl(port)],
    ['Node.js', await byNode(port)],
  ]
  return verdicts.flatMap(([program, verdict]) => {
    const check = `trust (${program})`
    if (!verdict) return [ok(check, `${program} trusts the proxy's certificate.`)]
    if ('absent' in verdict) return []
    const message = `${program} does not trust the proxy's certificate: ${verdict.reason}.`
    const fixes =
      program === 'Node.js' ? [`export NODE_EXTRA_CA_CERTS=${paths.caCertificate}`] : trustCommands(paths.caCertificate)
    return [warn(check, message, fixes)]
  })
}

/** By curl's store, which is the system's unless the environment says otherwise. */
function byCurl(port: number): Promise<Verdict> {
  const url = `https://localhost:${port}/`
  return byProgram('curl', ['-sS', '-o', '/dev/null', '--noproxy', '*', '--max-time', String(deadline / 1000), url])
}

function byOpenssl(port: number): Promise<Verdict> {
  const target = ['-connect', `127.0.0.1:${port}`, '-servername', 'localhost', '-verify_hostname', 'localhost']
  return byProgram('openssl', ['s_client', ...target, '-verify_return_error', '-brief'])
}

async function byProgram(program: string, args: string[]): Promise<Verdict> {
  try {
    const run = startAsInvokingUser((ids) => {
      const running = promisify(execFile)(program, args, { ...ids, timeout: deadline })
      // openssl goes on until its input ends.
      running.child.stdin?.end()
      return running
    })
    await run
    return undefined
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return { absent: true }
    const said = error instanceof Error && 'stderr' in error ? String(error.stderr) : ''
    const line = said.split('\n').find((text) => /certificate|verify|error/i.test(text))
    return {
      reason: (line ?? 'it does not say why')
        .replace(/^\w+: \(\d+\) /, '')
        .trim()
        .replace(/\.$/, ''),
    }
  }
}

/** By Node.js's own roots and NODE_EXTRA_CA_CERTS, or by `ca` alone. */
function byNode(port: number, ca?: string): Promise<Verdict> {
  return new Promise((resolve) => {
    const target = { host: '127.0.0.1', port, servername: 'localhost', timeout: deadline, ...(ca && { ca }) }
    const socket = connect(target)
    const finish = (verdict: Verdict) => {
      socket.destroy()
      resolve(verdict)
    }
    socket.once('secureConnect', () => finish(undefined))
    socket.once('timeout', () => finish({ reason: 'no answer' }))
    socket.once('error', (error) => finish({ reason: error.message }))
  })
}

function reasonOf(verdict: Exclude<Verdict, undefined>): string {
  return 'reason' in verdict ? verdict.reason : 'no answer'
}
