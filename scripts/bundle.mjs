// Makes dist/ of src/ and of the libraries it uses, and so for the plugins that moat brings: a file for each command, hook
// and program, named as in src, and chunks/ for what they share. Few files to read are what makes commands quick; see
// docs/decisions/0027-bundled-commands.md. Types are checked by `npm run lint`.
import { globSync, writeFileSync } from 'node:fs'
import { rolldown } from 'rolldown'
import { bundledLicenses } from './bundled-licenses.mjs'

/** What oclif, bin/ and plugins ask for by name. */
const entries = [
  ...globSync('src/{commands,hooks}/**/*.ts'),
  'src/completion/answer.ts',
  'src/config/compile-cache.ts',
  'src/config/invoking-user.ts',
  'src/plugin.ts',
  'src/supervisor/supervisor-process.ts',
  'src/terminal/moat-help.ts',
  'src/terminal/run-cli.ts',
]

/** Commands that oclif has ready. */
const oclifCommands = {
  'commands/help': 'node_modules/@oclif/plugin-help/lib/commands/help.js',
  'commands/version': 'node_modules/@oclif/plugin-version/lib/commands/version.js',
}

/** Stay packages: native code, a script that lies beside the code, and oclif's plugin with the npm it runs. */
const external = [/^node:/, 'fs-native-extensions', 'open', /^@oclif\/plugin-plugins/]

/**
 * Node's own modules are asked for by a function call: an `import` of node:http reads all that it exports, and two of those
 * load a whole HTTP client, for 40 ms. The bundler writes each import on a line of its own.
 */
const builtins = {
  name: 'builtins',
  renderChunk: (code) => ({
    code: code.replace(/^import (.+) from "(node:[\w/]+)";$/gm, (_, names, module) => {
      const [, whole, parts] = /^(?:\* as )?([\w$]+)?(?:, )?(\{.*\})?$/.exec(names)
      const targets = [whole, parts?.replaceAll(' as ', ': ')].filter(Boolean)
      return targets.map((target) => `const ${target} = globalThis.process.getBuiltinModule("${module}");`).join(' ')
    }),
    map: null,
  }),
}

/** Of dockerode, what moat never asks for: engines over ssh, and BuildKit's sessions. */
const unused = /^(ssh2|protobufjs|@grpc\/.*|\.\/(session|buildkit))$/
const leaveOut = {
  load: (id) => (id === '\0unused' ? 'module.exports = {}' : undefined),
  name: 'leave-out',
  resolveId: (id, importer) =>
    unused.test(id) && /node_modules\/(dockerode|docker-modem)\//.test(importer ?? '') ? '\0unused' : undefined,
}

/**
 * Code that TypeScript compiled to CommonJS loads all it imports as soon as it is loaded itself. Here each import waits for
 * its first use: oclif needs templates, globs and semantic versions only now and then.
 */
const lazyRequires = {
  name: 'lazy-requires',
  transform: {
    filter: { code: '__esModule', id: /node_modules.*\.js$/ },
    handler: (source) => {
      const names = []
      const lazy = source.replace(
        /^(?:const|var|let) (\w+_\d+) = ((?:__importDefault|__importStar)\(require\("[^"]+"\)\)|require\("[^"]+"\));$/gm,
        (_, name, value) => {
          names.push(name)
          return `let $${name}; const $load_${name} = () => ($${name} ??= ${value});`
        },
      )
      const use = (text, name) => text.replace(new RegExp(`(?<![\\w$.])${name}\\b`, 'g'), `($load_${name}())`)
      return { code: names.reduce(use, lazy), map: null }
    },
  },
}

const own = Object.fromEntries(entries.map((file) => [file.slice('src/'.length, -'.ts'.length), file]))
const moat = { external, plugins: [builtins, lazyRequires, leaveOut] }
writeFileSync('dist/LICENSES.txt', bundledLicenses(await bundle('dist', { ...own, ...oclifCommands }, moat)))
// By itself, and with plain imports: a Node too old for the rest has to be able to read it.
await bundle('dist', { 'config/node-version': 'src/config/node-version.ts' }, { external })
for (const directory of globSync('plugins/*/src')) {
  const hooks = globSync(`${directory}/hooks/*.ts`).map((file) => [
    file.slice(directory.length + 1, -'.ts'.length),
    file,
  ])
  await bundle(`${directory}/../dist`, Object.fromEntries(hooks), { external, plugins: [builtins] })
}

/** True for code of moat's that needs nothing but oclif, so that a command may well load it without using it. */
function isLight(id, graph, seen = new Set()) {
  if (seen.has(id)) return true
  seen.add(id)
  if (id.includes('/node_modules/')) return id.includes('/@oclif/core/')
  return (graph.getModuleInfo(id)?.importedIds ?? []).every((imported) => isLight(imported, graph, seen))
}

async function bundle(dir, input, options) {
  const build = await rolldown({
    ...options,
    input,
    platform: 'node',
    preserveEntrySignatures: 'exports-only',
    transform: { define: { __dirname: 'import.meta.dirname', __filename: 'import.meta.filename' } },
  })
  const { output } = await build.write({
    chunkFileNames: 'chunks/[name]-[hash].js',
    dir,
    entryFileNames: '[name].js',
    format: 'esm',
    // Names stay: those of errors and of commands are read by people.
    codeSplitting: {
      groups: [
        { name: 'oclif', test: /node_modules\/@oclif\/core\// },
        {
          debugName: 'moat',
          minShareCount: 4,
          name: (id, graph) => (id.includes('/src/') && isLight(id, graph) ? 'moat' : null),
        },
      ],
    },
    minify: { codegen: { removeWhitespace: true }, compress: true, mangle: false },
    sourcemap: true,
    sourcemapExcludeSources: true,
  })
  await build.close()
  return output.flatMap((chunk) => chunk.moduleIds ?? [])
}
