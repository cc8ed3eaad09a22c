// Parts of moat are killed while an agent under a strict policy asks all the time: nothing opens, and what is allowed works again
// within 3 seconds. Measured from the kill by requests that were made after it, as the middle one of several tries.
import { copyFileSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type RunningMoat, Sandbox } from '../../helpers/sandbox.js'
import { stubAuthority } from '../../helpers/stub-hosts.js'
import { until } from '../../helpers/until.js'

/** Milliseconds. */
const promised = 3_000
const tries = 3
const sandbox = new Sandbox()
const authority = stubAuthority()
let host: Server
let moat: RunningMoat

interface Asked {
  at: number
  answered: number
  outcome: string
  way: string
}

const asked = (): Asked[] =>
  [...moat.stdout.matchAll(/^ASKED (\S+) (\d+) (\d+) (.*)\n/gm)].map(
    ([, way = '', at, answered, outcome = '']): Asked => ({ answered: Number(answered), at: Number(at), outcome, way }),
  )
/** When this way first worked for who asked after that. */
const worked = (way: string, after: number) =>
  asked().find((one) => one.way === way && one.at >= after && one.outcome === 'reached')?.answered

beforeAll(async () => {
  host = createServer(authority.issue(['plain.test', 'opened.test', 'other.test']), (_, response) =>
    response.end('reached'),
  )
  await new Promise<void>((resolve) => host.listen(0, '127.0.0.1', resolve))
  const where = `127.0.0.1:${(host.address() as AddressInfo).port}`
  const names = ['plain.test', 'opened.test', 'other.test']
  sandbox.env.MOAT_TEST_HOSTS = names.map((name) => `${name}:443=${where}`).join()
  // What Caddy verifies hosts by.
  sandbox.env.SSL_CERT_FILE = authority.file
  const workspace = sandbox.directory('asking', {
    'moat.yaml': `name: asking
dependencies: [node@22]
command: [node, asking.mjs]
network:
  policy: strict
  rules: [plain.test, {opened.test: ["allow GET /**"]}]
`,
  })
  copyFileSync('test/fixtures/hostile/asking.mjs', join(workspace, 'asking.mjs'))
  moat = sandbox.start(['run', workspace])
  const works = () => worked('plain', 0) !== undefined && worked('opened', 0) !== undefined
  await until('both ways', () => works() || moat.process.exitCode !== null, 120_000)
  expect(works(), moat.stderr).toBe(true)
}, 150_000)

afterAll(async () => {
  await sandbox.cleanUp()
  host?.close()
  rmSync(dirname(authority.file), { force: true, recursive: true })
})

it.each(['gates', 'caddys', 'supervisors'] as const)(
  'what is allowed works again within 3 seconds after one of the %s is killed',
  async (which) => {
    const took: number[] = []
    for (let time = 0; time < tries; time += 1) {
      const [pid = 0] = (await sandbox.processes())[which]
      process.kill(pid, 'SIGKILL')
      const killed = Date.now()
      const both = await until('both ways', () => {
        const [plain, opened] = [worked('plain', killed), worked('opened', killed)]
        return plain !== undefined && opened !== undefined && Math.max(plain, opened)
      })
      took.push(both - killed)
      // That one may still be starting when it is killed in turn.
      await until(`another of the ${which}`, async () => {
        const [next] = (await sandbox.processes())[which]
        return next !== undefined && next !== pid
      })
    }
    const [, middle] = took.toSorted((a, b) => a - b)
    expect(middle, `all of them: ${took.join()}`).toBeLessThan(promised)
  },
)

it('nothing has opened meanwhile', () => {
  const outcomes = (way: string) => new Set(asked().flatMap((one) => (one.way === way ? one.outcome : [])))
  expect(outcomes('direct')).toEqual(new Set(['ENETUNREACH']))
  // While there is no gate, nobody answers.
  expect(outcomes('other')).toContain('403')
  expect(outcomes('other')).not.toContain('reached')
})
