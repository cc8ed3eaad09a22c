// The reference plugin of somebody else: test/fixtures/plugin-hello, as a directory of its own and as a tarball.
import { execFile } from 'node:child_process'
import { cpSync, readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** Copies the plugin into `parent`, outside moat's workspace, where moat's packages are not found. */
export function copyHelloPlugin(parent: string): string {
  const directory = join(parent, 'plugin-hello')
  cpSync(resolve('test/fixtures/plugin-hello'), directory, { recursive: true })
  return directory
}

/** Packs the plugin into `parent`, as `npm publish` would; returns the tarball's path. */
export async function packHelloPlugin(parent: string): Promise<string> {
  await run('npm', ['pack', '--pack-destination', parent, copyHelloPlugin(parent)])
  const tarball = readdirSync(parent).find((name) => name.endsWith('.tgz'))
  if (!tarball) throw new Error('npm pack made no tarball')
  return join(parent, tarball)
}
