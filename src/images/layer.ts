// Owns one layer of an image, and the shell text that layers are made of. Pure.
import { caVariables } from './build-arguments.js'

/** One instruction of a Dockerfile. */
export interface Layer {
  /** The key of moat.yaml to look at when it fails. */
  key?: string
  text: string
  /** Absent for those that take no time. */
  title?: string
}

/** Forgets certificate files of the host that the image does not have: programs refuse to start on a missing one. */
export const dropMissingCertificates = `for name in ${caVariables.join(' ')}; do eval "test -e \\"\\$$name\\"" || unset "$name"; done`

/** A RUN of all `commands`, which ends at the first that fails. */
export function run(commands: string[]): string {
  return `RUN ${commands.join(' \\\n && ')}`
}

/** Fails with `remedy` in an image without `program`. */
export function requireProgram(program: string, remedy: string): string {
  return `{ command -v ${program} > /dev/null || { echo "This image has no ${program}: ${remedy}."; exit 127; }; }`
}
