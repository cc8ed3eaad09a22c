// Owns what moat doctor finds of grants: which it is sure of, and by which command each is made again.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeEach, expect, it } from 'vitest'
import { moatPaths } from '../../../src/config/paths.js'
import { checkGrants } from '../../../src/doctor/check-grants.js'
import { MoatError } from '../../../src/errors.js'
import type { GrantSource } from '../../../src/grants/grant.js'
import { writeGrant } from '../../../src/grants/store.js'
import { temporaryDirectory } from '../config/temp-directory.js'
import { sampleGrant } from '../grants/sample-grant.js'

let paths: ReturnType<typeof moatPaths>
beforeEach(async () => {
  paths = moatPaths({ MOAT_HOME: await temporaryDirectory() })
})

const env = { PATH: process.env.PATH }
const words = ['my-api', '--host', 'api.my.test', '--header', 'Authorization: Bearer {token}']
const again = "moat grant my-api --host api.my.test --header 'Authorization: Bearer {token}'"

async function keep(source?: GrantSource): Promise<void> {
  await writeGrant(paths.grants, sampleGrant({ words, ...(source && { source }) }), { open: async () => undefined })
}
const refuses = (message: string) => async () => {
  throw new MoatError('GRANT_REFUSED', message)
}

it('one that its service takes is well', async () => {
  await keep()
  expect(await checkGrants({ env, paths }, async () => ({ asked: true, who: 'robot' }))).toEqual([
    { check: 'grant my-api', message: 'My API takes its value (robot).', status: 'ok', fixes: [] },
  ])
})

it.each([
  ['that its service refuses', undefined, 'My API refuses the value of my-api.', 'fail', [again]],
  ['whose service cannot be asked, for which another value is no remedy', undefined, 'No answer.', 'warn', []],
  ['whose command fails', { command: 'exit 3', kind: 'command' }, '', 'fail', [again]],
  ['whose variable may be set elsewhere', { kind: 'env', variable: 'NO_SUCH' }, '', 'warn', [again]],
] as const)('one %s', async (_, source, message, status, fixes) => {
  await keep(source)
  const [found] = await checkGrants({ env, paths }, refuses(message))
  expect(found).toMatchObject({ check: 'grant my-api', fixes, status })
  if (message !== '') expect(found?.message).toBe(message)
})

it('one that cannot be read hides no other', async () => {
  await keep()
  await writeFile(join(paths.grants, 'default/broken.grant'), 'no grant', { mode: 0o600 })
  const found = await checkGrants({ env, paths }, async () => ({ asked: false }))
  expect(found.map(({ check, status }) => [check, status])).toEqual([
    ['grant broken', 'fail'],
    ['grant my-api', 'ok'],
  ])
})
