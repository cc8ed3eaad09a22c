// Owns that the directories at which something is mounted are the user's, and in the workspace: whatever an agent has put there.
import { chmod, lstat, mkdir, readdir, realpath, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeEach, expect, it } from 'vitest'
import { prepareMountPoints } from '../../../src/volumes/mount-points.js'
import { caught } from '../config/caught.js'
import { temporaryDirectory } from '../config/temp-directory.js'

let workspace: string
let outside: string
beforeEach(async () => {
  const directory = await realpath(await temporaryDirectory())
  workspace = join(directory, 'app')
  outside = join(directory, 'outside')
  for (const path of [workspace, outside]) await mkdir(path)
})

function prepare(targets: string[], { readOnly = false, own = '/workspace/own' } = {}): string[] {
  const given = [
    { readOnly: false, source: workspace, target: '/workspace' },
    { readOnly, source: outside, target: '/data' },
  ]
  const mounts = [...given, { readOnly: true, source: outside, target: own }]
  return prepareMountPoints({ displayFile: 'moat.yaml', given, mounts, targets })
}

it('makes what is missing, and nothing for what is in the container alone', async () => {
  expect(prepare(['/workspace/a/b', '/var/x', '/data/c', '/workspace/a/b/inner'])).toEqual([
    join(workspace, 'a/b'),
    join(outside, 'c'),
  ])
  expect((await lstat(join(workspace, 'a/b'))).isDirectory()).toBe(true)
  expect(await readdir(join(workspace, 'a/b'))).toEqual([])
})

it('leaves a directory that is there as it is', async () => {
  await mkdir(join(workspace, 'mods'))
  await writeFile(join(workspace, 'mods/file'), 'x')
  await chmod(join(workspace, 'mods'), 0o711)
  expect(prepare(['/workspace/mods'])).toEqual([join(workspace, 'mods')])
  expect((await lstat(join(workspace, 'mods'))).mode & 0o777).toBe(0o711)
  expect(await readdir(join(workspace, 'mods'))).toEqual(['file'])
})

it.each(['link', 'link/deep', 'dangling', 'file', 'file/deep'])(
  'goes through no link and no file: %s',
  async (path) => {
    await symlink(outside, join(workspace, 'link'))
    await symlink(join(outside, 'new'), join(workspace, 'dangling'))
    await writeFile(join(workspace, 'file'), '')
    const error = await caught(() => prepare([`/workspace/${path}`]))
    expect(error.code).toBe('CONFIG_INVALID')
    expect(error.message).toContain('something other than a directory')
    expect(await readdir(outside)).toEqual([])
  },
)

it('makes nothing in a mount that is read-only', async () => {
  const error = await caught(() => prepare(['/data/c'], { readOnly: true }))
  expect(error.message).toBe(
    `moat.yaml: nothing can be mounted at /data/c: ${join(outside, 'c')} is missing, and its mount is read-only.`,
  )
  await mkdir(join(outside, 'c'))
  expect(prepare(['/data/c'], { readOnly: true })).toEqual([join(outside, 'c')])
})

it.each(['/workspace/own', '/workspace/own/deep'])(
  'mounts nothing where moat has mounted something: %s',
  async (target) => {
    expect((await caught(() => prepare([target]))).message).toContain('moat itself has mounted /workspace/own')
  },
)
