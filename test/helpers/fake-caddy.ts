// A program that says of itself that it is a Caddy with these modules, and does nothing else.
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Its path. */
export function fakeCaddy(directory: string, modules: readonly string[]): string {
  const path = join(directory, 'caddy')
  mkdirSync(directory, { recursive: true })
  const list = modules.map((name) => `echo ${name}`).join('\n')
  writeFileSync(path, `#!/bin/sh\necho asked >>"$0.log"\n[ "$1" = version ] && echo v2.11.9 && exit\n${list}\n`)
  chmodSync(path, 0o755)
  return path
}
