// What a directory looks like, to compare with what it looked like.
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'

/** All there is but times: kinds, modes, content and where links lead, by paths as bytes. */
export function picture(directory: string, path = ''): Record<string, string> {
  const all: Record<string, string> = {}
  for (const name of readdirSync(Buffer.from(`${directory}/${path}`, 'latin1'), { encoding: 'latin1' })) {
    const inner = path === '' ? name : `${path}/${name}`
    const at = Buffer.from(`${directory}/${inner}`, 'latin1')
    const stats = lstatSync(at)
    const mode = (stats.mode & 0o7777).toString(8)
    if (stats.isSymbolicLink()) all[inner] = `link ${readlinkSync(at, { encoding: 'latin1' })}`
    else if (stats.isDirectory()) Object.assign(all, { [inner]: `directory ${mode}` }, picture(directory, inner))
    else all[inner] = stats.isFile() ? `file ${mode} ${readFileSync(at).toString('base64')}` : `special ${mode}`
  }
  return all
}
