// Owns which Node.js can run moat. Asked before anything else is loaded, by a Node that may be too old to load it: plain
// JavaScript, and no imports but Node's oldest.
import { readFileSync } from 'node:fs'

export interface NodeProblem {
  /** The command that brings another. */
  command: string
  message: string
}

/** What is wrong with this Node; undefined when nothing is. */
export function nodeProblem(version: string, platform: string): NodeProblem | undefined {
  const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
  const oldest = (manifest as { engines: { node: string } }).engines.node.replace(/^>=/, '')
  if (!isOlder(version, oldest)) return undefined
  return {
    command: platform === 'darwin' ? 'brew install node' : 'npm install --global node@24',
    message: `Node.js ${version} is too old: moat needs ${oldest} or newer.`,
  }
}

function isOlder(version: string, oldest: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const [oldestMajor = 0, oldestMinor = 0] = oldest.split('.').map(Number)
  return major < oldestMajor || (major === oldestMajor && minor < oldestMinor)
}
