// Owns the check of the Node.js that runs moat.
import { readFile } from 'node:fs/promises'
import { isNewEnough } from '../caddy/find-caddy.js'
import { type DoctorContext, type Finding, fail, ok } from './diagnosis.js'

export async function checkNode(
  { platform }: Pick<DoctorContext, 'platform'>,
  version: string = process.versions.node,
): Promise<Finding[]> {
  const manifest = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8'))
  const minimum = (manifest as { engines: { node: string } }).engines.node.replace(/^>=/, '')
  if (isNewEnough(version, minimum)) return [ok('node', `Node.js ${version}.`)]
  const message = `Node.js ${version} is too old: moat needs ${minimum} or newer.`
  return [fail('node', message, [platform === 'darwin' ? 'brew install node' : 'npm install --global node@24'])]
}
