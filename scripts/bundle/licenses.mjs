// Owns the licenses of the libraries whose code is in dist/: most ask that their text goes wherever the code goes.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** The text of dist/LICENSES.txt for bundled modules: each package with what it says of itself. */
export function bundledLicenses(moduleIds) {
  const roots = new Set(moduleIds.filter((id) => id.includes('/node_modules/')).map(packageRoot))
  const parts = [...roots].map((root) => {
    const { license, name, version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
    const file = readdirSync(root).find((entry) => /^(licen[cs]e|copying)/i.test(entry))
    return `${name} ${version}, ${license}\n\n${file ? readFileSync(join(root, file), 'utf8').trim() : ''}\n`
  })
  return [...new Set(parts)].toSorted().join(`\n${'-'.repeat(80)}\n\n`)
}

/** A package may hold further package.json files, which only say of what kind its modules are. */
function packageRoot(id) {
  let directory = dirname(id.replace(/^\0/, '').replace(/\?.*$/, ''))
  while (!existsSync(join(directory, 'package.json')) || !namesPackage(directory)) directory = dirname(directory)
  return directory
}

function namesPackage(directory) {
  return 'version' in JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8'))
}
