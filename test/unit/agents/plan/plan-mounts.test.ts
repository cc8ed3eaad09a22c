import { realpath } from 'node:fs/promises'
import { expect, it } from 'vitest'
import { planMounts } from '../../../../src/agents/plan/plan-mounts.js'
import { caught } from '../../config/caught.js'
import { temporaryDirectory } from '../../config/temp-directory.js'

it('mounts the workspace once, and nothing of a flag where moat.yaml has something', async () => {
  const workspace = await realpath(await temporaryDirectory())
  const config = {
    mounts: [{ exclude: ['/workspace/dist'], readOnly: false, source: workspace, target: '/workspace' }],
    volumes: [{ name: 'mods', readOnly: false, scope: 'workspace', target: '/mods' }],
  }
  const plan = (flag: string) => planMounts(config as never, [`${workspace}:${flag}`], { workspace })
  const own = { readOnly: false, source: workspace, target: '/data' }
  expect(await plan('/data')).toEqual({
    given: { mounts: [own], tmpfs: ['/workspace/dist'], volumes: [{ ...config.volumes[0], place: workspace }] },
    ownMounts: [own],
  })
  for (const target of ['/mods', '/workspace/dist']) {
    expect(await caught(() => plan(target))).toMatchObject({ code: 'USAGE', message: expect.stringContaining(target) })
  }
})
