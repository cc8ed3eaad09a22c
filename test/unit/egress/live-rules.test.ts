// Owns the files of rules added to running agents, and reading what agents have reached.
import { appendFile, mkdir, readFile, rename, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { logOf } from '../../../src/agents/network/network-log.js'
import { addLiveRule, liveRulesFile, readLiveRules, removeLiveRules } from '../../../src/egress/live-rules.js'
import type { NetworkLogEntry, NetworkRule } from '../../../src/egress/policy.js'
import { networkLogFile } from '../../../src/egress/read-log.js'
import type { Agent } from '../../../src/routing/agent.js'
import { temporaryDirectory } from '../config/temp-directory.js'

const runId = 'run_0123456789ab'
const rule = (host: string): NetworkRule => ({ effect: 'allow', host, text: host })

it('keeps rules in their order, for this user alone, also when several are added at once', async () => {
  const paths = { proxy: await temporaryDirectory() }
  expect(await readLiveRules(paths, runId)).toEqual([])
  await addLiveRule(paths, runId, rule('a.test'))
  await addLiveRule(paths, runId, rule('a.test'))
  await addLiveRule(paths, runId, rule('b.test'))
  expect(await readLiveRules(paths, runId)).toEqual([rule('a.test'), rule('b.test')])
  expect((await stat(liveRulesFile(paths, runId))).mode & 0o777).toBe(0o600)
  await Promise.all(Array.from({ length: 20 }, (_, index) => addLiveRule(paths, runId, rule(`${index}.test`))))
  expect(new Set((await readLiveRules(paths, runId)).map(({ host }) => host)).size).toBe(22)
  await removeLiveRules(paths, runId)
  expect(await readLiveRules(paths, runId)).toEqual([])
})

it('says so when rules cannot be read, and writes through no link', async () => {
  const paths = { proxy: await temporaryDirectory() }
  await mkdir(join(paths.proxy, 'egress'))
  await writeFile(liveRulesFile(paths, runId), '{"effect":"deny"}\n')
  await expect(readLiveRules(paths, runId)).rejects.toMatchObject({ code: 'NETWORK_RULES_BROKEN' })
  const elsewhere = join(paths.proxy, 'elsewhere')
  await writeFile(elsewhere, '')
  await symlink(elsewhere, liveRulesFile(paths, 'run_ffffffffffff'))
  await expect(addLiveRule(paths, 'run_ffffffffffff', rule('a.test'))).rejects.toThrow()
  expect(await readFile(elsewhere, 'utf8')).toBe('')
})

function entry(agent: string, run: string, second: number): NetworkLogEntry {
  const time = `2026-01-01T00:00:${String(second).padStart(2, '0')}.000Z`
  const rest = { bytesIn: 1, bytesOut: 2, duration: 3, port: 443, reason: 'rule' }
  return { agent, host: `${second}.test`, runId: run, time, verdict: 'allowed', ...rest }
}

it('reads what was written down, also of agents that are gone, and follows it over a change of files', async () => {
  const home = await temporaryDirectory()
  await mkdir(join(home, 'egress'))
  const [old, now] = ['run_aaaaaaaaaaaa', 'run_bbbbbbbbbbbb']
  const write = (run: string, ...seconds: number[]) =>
    appendFile(
      networkLogFile({ home }, run),
      seconds.map((second) => `${JSON.stringify(entry(run === old ? 'gone' : 'web', run, second))}\n`).join(''),
    )
  await write(old, 1, 5)
  await write(now, 2)
  await rename(networkLogFile({ home }, now), `${networkLogFile({ home }, now)}.1`)
  await write(now, 4)
  await appendFile(networkLogFile({ home }, now), 'half a li')
  const agents = async () => [{ name: 'web', runId: now } as Agent]
  const seconds = (entries: readonly NetworkLogEntry[]) => entries.map(({ host }) => Number.parseInt(host, 10))
  expect(seconds((await logOf(undefined, agents, { home })).entries)).toEqual([1, 2, 4, 5])
  expect(seconds((await logOf('gone', agents, { home })).entries)).toEqual([1, 5])
  expect(seconds((await logOf('run_aaa', agents, { home })).entries)).toEqual([1, 5])
  await expect(logOf('gnoe', agents, { home })).rejects.toMatchObject({ code: 'AGENT_NOT_FOUND' })
  const log = await logOf('web', agents, { home })
  expect(seconds(log.entries)).toEqual([2, 4])
  await appendFile(networkLogFile({ home }, now), 'ne\n')
  await write(now, 6)
  await write(old, 7)
  expect(seconds(await log.more())).toEqual([6])
  await write(now, 8)
  await rename(networkLogFile({ home }, now), `${networkLogFile({ home }, now)}.1`)
  await write(now, 9)
  expect(seconds(await log.more())).toEqual([8, 9])
  expect(await log.more()).toEqual([])
})
