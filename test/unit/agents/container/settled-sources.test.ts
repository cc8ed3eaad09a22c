// Owns that a source which was swapped after it was allowed is noticed.
import { mkdir, rename, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { assertSettled, followedPaths } from '../../../../src/agents/container/settled-sources.js'
import { caught } from '../../config/caught.js'
import { temporaryDirectory } from '../../config/temp-directory.js'

it('refuses a source that has become a link, or lies behind one, or is gone', async () => {
  const directory = await temporaryDirectory()
  const workspace = join(directory, 'app')
  await mkdir(join(workspace, 'a/data'), { recursive: true })
  await mkdir(join(directory, 'secret/data'), { recursive: true })
  const mounts = [{ readOnly: false, source: join(workspace, 'a/data'), target: '/data' }]
  const plan = followedPaths({ mounts, workspace }, { mounts })
  await assertSettled(plan)
  await rename(join(workspace, 'a'), join(workspace, 'b'))
  expect((await caught(() => assertSettled(plan))).message).toMatch(/a\/data is gone: it was changed/)
  await symlink('../secret', join(workspace, 'a'))
  const error = await caught(() => assertSettled(plan))
  expect([error.code, error.message]).toEqual(['FORBIDDEN', expect.stringContaining(`${directory}/secret/data now`)])
})

it("is about git's directories too, and not about what moat itself makes", () => {
  const own = { readOnly: true, source: '/home/me/.moat/git/view', target: '/var/lib/moat/git' }
  const objects = { readOnly: false, source: '/src/app/.git/objects', target: '/src/app/.git/objects' }
  const mainCheckout = { commonDir: '/src/app/.git', gitDir: '/src/app/.git', root: '/src/app' }
  const plan = { mainCheckout, mounts: [], workspace: '/src/app' }
  expect(followedPaths(plan, { mounts: [own, objects] })).toEqual(['/src/app', '/src/app/.git/objects'])
})
