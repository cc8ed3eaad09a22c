// Owns dist/data/command-index.json: which file each command of moat's own is in, by its id and its aliases. A short command reads it
// in place of the manifest, which says all of each and is a hundred times as large. Written from the manifest, by the build and
// after each new manifest; a command that it does not have is oclif's to find.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'

/** Classes of oclif's, which want its whole configuration. */
const notOwn = ['help', 'version']

export function writeCommandIndex(manifest = 'oclif.manifest.json') {
  const { commands } = JSON.parse(readFileSync(manifest, 'utf8'))
  const index = Object.values(commands).flatMap(({ aliases, id, relativePath: [dist, ...path] }) => {
    const file = path.join('/')
    // One that has been taken out of src, until the manifest is made again.
    if (notOwn.includes(id) || !existsSync(`${dist}/${file}`)) return []
    return [id, ...aliases].map((name) => [name, { file, id }])
  })
  mkdirSync('dist/data', { recursive: true })
  writeFileSync('dist/data/command-index.json', JSON.stringify(Object.fromEntries(index)))
}
