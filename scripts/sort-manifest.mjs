// Puts the commands of an oclif manifest in alphabetical order: oclif writes them as the file system lists them, which
// differs from machine to machine, and the committed manifest is compared byte for byte.
//   sort-manifest.mjs FILE
import { readFileSync, writeFileSync } from 'node:fs'
import { writeCommandIndex } from './bundle/command-index.mjs'

const [file = 'oclif.manifest.json'] = process.argv.slice(2)
const manifest = JSON.parse(readFileSync(file, 'utf8'))
const commands = Object.entries(manifest.commands).sort(([a], [b]) => (a < b ? -1 : 1))
writeFileSync(file, `${JSON.stringify({ ...manifest, commands: Object.fromEntries(commands) }, null, 2)}\n`)
if (file === 'oclif.manifest.json') writeCommandIndex(file)
