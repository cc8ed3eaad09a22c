import { expect, it } from 'vitest'
import {
  assertUnused,
  chooseVolumes,
  removeVolumes,
  unneeded,
  type VolumeView,
  viewVolumes,
} from '../../../src/volumes/find-volumes.js'
import { planVolumes } from '../../../src/volumes/plan-volumes.js'
import { caught } from '../config/caught.js'

const view = (name: string, place: string, rest: Partial<VolumeView> = {}): VolumeView => {
  return { abandoned: false, id: `moat-${name}-${place.slice(1)}`, name, place, usedBy: [], ...rest }
}
const all = [
  view('mods', '/a'),
  view('mods', '/b', { abandoned: true }),
  view('data', '/b', { abandoned: true, usedBy: ['x'] }),
]
const ids = (volumes: readonly VolumeView[]) => volumes.map(({ id }) => id)

it('is meant by what the engine calls it, and by its name where that is clear', async () => {
  expect(ids(chooseVolumes(all, ['moat-mods-b', 'data', 'data'], '/c'))).toEqual(['moat-mods-b', 'moat-data-b'])
  expect(ids(chooseVolumes(all, ['mods'], '/a'))).toEqual(['moat-mods-a'])
  const error = await caught(() => chooseVolumes(all, ['mods'], '/c'))
  expect(error).toMatchObject({ code: 'USAGE', message: '2 workspaces have a volume mods.' })
  expect(error.suggestions).toEqual(['moat volumes rm moat-mods-a   # of /a', 'moat volumes rm moat-mods-b   # of /b'])
  expect(await caught(() => chooseVolumes(all, ['nope'], '/a'))).toMatchObject({ code: 'VOLUME_NOT_FOUND' })
})

it('may go when its workspace is gone and no container has it', () => {
  expect(ids(unneeded(all, false))).toEqual(['moat-mods-b'])
  expect(ids(unneeded(all, true))).toEqual(['moat-mods-a', 'moat-mods-b'])
})

it('stays when it is the clone of an agent, as long as there is a repository to pull it into', () => {
  const clones = [view('clone.one', '/a'), view('clone.two', '/b', { abandoned: true })]
  expect(ids(unneeded(clones, true))).toEqual(['moat-clone.two-b'])
})

it('in use is refused, and kept where it is used only by the time', async () => {
  expect(await caught(() => assertUnused(all))).toMatchObject({
    code: 'VOLUME_IN_USE',
    message: 'The volume data is in use by the container x.',
  })
  const engine = { volumes: { remove: async (id: string) => (id === 'moat-mods-a' ? 'used' : 'removed') } }
  expect(ids(await removeVolumes(engine as never, all))).toEqual(['moat-mods-b', 'moat-data-b'])
})

it('is told apart from one whose workspace is gone', async () => {
  const list = async () => [view('x', '/'), view('y', '/nowhere/at/all'), view('z', '/dev/null/x')]
  const views = await viewVolumes({ volumes: { list } } as never)
  // What cannot be looked at may be there.
  expect(views.map(({ abandoned }) => abandoned)).toEqual([false, true, false])
})

it('has the size that the engine says of it, if that is asked for', async () => {
  const list = async () => [view('x', '/'), view('y', '/')]
  const sizes = async () => new Map([['moat-x-', 12]])
  const sized = await viewVolumes({ volumes: { list, sizes } } as never, { sizes: true })
  expect(sized.map(({ size }) => size)).toEqual([12, undefined])
})

it("is the workspace's, or the repository's where moat.yaml says so", () => {
  const declared = (['workspace', 'repository'] as const).map((scope) => ({
    name: scope,
    readOnly: false,
    scope,
    target: '/x',
  }))
  const places = (commonDir?: string) => planVolumes(declared, { commonDir, workspace: '/w' }).map(({ place }) => place)
  expect(places('/r/.git')).toEqual(['/w', '/r/.git'])
  expect(places()).toEqual(['/w', '/w'])
})
