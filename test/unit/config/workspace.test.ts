// Owns which paths are workspaces, and what is said of those that are not.
import { chmod, mkdir, symlink, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { expect, it } from 'vitest'
import { resolveWorkspace } from '../../../src/config/workspace.js'
import { asOrdinaryUser } from './as-user.js'
import { caught } from './caught.js'
import { temporaryDirectory } from './temp-directory.js'

const failure = { code: 'WORKSPACE_MISSING', exit: 2 }

it('is the real, absolute path of a directory', async () => {
  const directory = await temporaryDirectory()
  await mkdir(join(directory, 'app'))
  await symlink('app', join(directory, 'link'))
  expect(await resolveWorkspace(join(directory, 'link'))).toBe(join(directory, 'app'))
  expect(await resolveWorkspace(relative(process.cwd(), join(directory, 'app')))).toBe(join(directory, 'app'))
})

it('must exist', async () => {
  const path = join(await temporaryDirectory(), "it's absent")
  expect(await caught(() => resolveWorkspace(path))).toEqual({
    ...failure,
    message: `The workspace ${path} does not exist.`,
    suggestions: [`mkdir -p '${path.replace("'", "'\\''")}'`],
  })
})

it('must be a directory', async () => {
  const directory = await temporaryDirectory()
  const path = join(directory, 'moat.yaml')
  await writeFile(path, '')
  expect(await caught(() => resolveWorkspace(path))).toEqual({
    ...failure,
    message: `The workspace ${path} is a file, not a directory.`,
    suggestions: [`moat run ${directory}`],
  })
  expect(await caught(() => resolveWorkspace(join(path, 'app')))).toEqual({
    ...failure,
    message: `The workspace ${path}/app does not exist: part of the path is a file.`,
    suggestions: [`ls ${path}/app`],
  })
})

it('must be readable', async () => {
  const directory = await temporaryDirectory()
  await chmod(directory, 0o755)
  const path = join(directory, 'app')
  await mkdir(path)
  await chmod(path, 0o000)
  const error = await caught(() => asOrdinaryUser(() => resolveWorkspace(path)))
  await chmod(path, 0o700)
  expect(error).toEqual({
    ...failure,
    message: `The workspace ${path} cannot be read: permission denied.`,
    suggestions: [`ls -ld ${path}`],
  })
})

it('must not be a link to itself', async () => {
  const path = join(await temporaryDirectory(), 'loop')
  await symlink('loop', path)
  const { message } = await caught(() => resolveWorkspace(path))
  expect(message).toBe(`The workspace ${path} cannot be read: too many symbolic links encountered.`)
})
