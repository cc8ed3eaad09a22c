// Owns which Node.js can run moat. Asked before anything else is loaded, by a Node that may be too old to load it: plain
// JavaScript, and no imports but of the like.
import { readFileSync } from 'node:fs'
import { isNewEnough } from './is-new-enough.js'

export interface NodeProblem {
  /** The command that brings another. */
  command: string
  message: string
}

/** What is wrong with this Node; undefined when nothing is. */
export function nodeProblem(version: string, platform: string): NodeProblem | undefined {
  const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
  const oldest = (manifest as { engines: { node: string } }).engines.node.replace(/^>=/, '')
  if (isNewEnough(version, oldest)) return undefined
  return {
    command: platform === 'darwin' ? 'brew install node' : 'npm install --global node@24',
    message: `Node.js ${version} is too old: moat needs ${oldest} or newer.`,
  }
}
