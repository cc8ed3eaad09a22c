// Makes dist/ of src/ and of the libraries it uses, and so for the plugins that moat brings: a file for each command, hook
// and program, named as in src, and chunks/ for what they share. Few files to read are what makes commands quick; see
// docs/decisions/0027-bundled-commands.md. Types are checked by `npm run lint`.
import { globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename } from 'node:path'
import { load } from 'js-yaml'
import { rolldown } from 'rolldown'
import { groups } from './bundle/chunks.mjs'
import { writeCommandIndex } from './bundle/command-index.mjs'
import { bundledLicenses } from './bundle/licenses.mjs'
import {
  anyNode,
  ascii,
  builtins,
  depth,
  lazyRequires,
  leaveOut,
  quiet,
  unsorted,
  unspoken,
} from './bundle/transforms.mjs'

/** What oclif, bin/ and plugins ask for by name. */
const entries = [
  ...globSync('src/{commands,hooks}/**/*.ts'),
  'src/completion/answer.ts',
  'src/gate/gate-process.ts',
  'src/guard/guard-process.ts',
  'src/plugin.ts',
  'src/supervisor/supervisor-process.ts',
  'src/terminal/moat-help.ts',
  'src/terminal/run-cli.ts',
  'src/triggers/trigger-process.ts',
]

/** What bin/ loads before anything else; a Node too old for the rest has to be able to read it. */
const first = 'src/terminal/first.ts'

/** Commands that oclif has ready. */
const oclifCommands = {
  'commands/help': 'node_modules/@oclif/plugin-help/lib/commands/help.js',
  'commands/version': 'node_modules/@oclif/plugin-version/lib/commands/version.js',
}

/** Stay packages: native code, a script that lies beside the code, and oclif's plugin with the npm it runs. */
const external = [/^node:/, '@napi-rs/keyring', 'fs-native-extensions', 'open', /^@oclif\/plugin-plugins/]

const plugins = [builtins, quiet, lazyRequires, leaveOut, unsorted, unspoken, ascii, depth]
const bundled = await bundle('dist', { ...named(entries, 'src'), ...oclifCommands }, plugins)
writeFileSync('dist/LICENSES.txt', bundledLicenses(bundled))
// What commands read of it, they read in a tenth of the time: src/config/own-data.ts.
mkdirSync('dist/data', { recursive: true })
for (const file of globSync('data/*.yaml')) {
  writeFileSync(`dist/data/${basename(file, '.yaml')}.json`, JSON.stringify(load(readFileSync(file, 'utf8'))))
}
writeCommandIndex()
await bundle('dist', named([first], 'src'), [anyNode], false)
for (const source of globSync('plugins/*/src')) {
  await bundle(`${source}/../dist`, named(globSync(`${source}/hooks/*.ts`), source), [builtins])
}

/** Each file by its name in `directory`, without the ending. */
function named(files, directory) {
  return Object.fromEntries(files.map((file) => [file.slice(directory.length + 1, -'.ts'.length), file]))
}

/** Writes the bundle to `dir`, in one file without `codeSplitting`; returns the ids of the modules that are in it. */
async function bundle(dir, input, plugins, codeSplitting = { groups }) {
  const build = await rolldown({
    checks: { ineffectiveDynamicImport: false },
    external,
    input,
    platform: 'node',
    plugins,
    preserveEntrySignatures: 'exports-only',
    transform: { define: { __dirname: 'import.meta.dirname', __filename: 'import.meta.filename' } },
  })
  const { output } = await build.write({
    chunkFileNames: 'chunks/[name]-[hash].js',
    codeSplitting,
    dir,
    entryFileNames: '[name].js',
    format: 'esm',
    // Names stay: those of errors and of commands are read by people.
    minify: { codegen: { removeWhitespace: true }, compress: true, mangle: false },
    sourcemap: true,
    sourcemapExcludeSources: true,
  })
  await build.close()
  return output.flatMap((chunk) => chunk.moduleIds ?? [])
}
