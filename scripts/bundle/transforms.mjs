// Owns how code is changed on its way into dist/, so that loading it costs little.

/** Modules of Node's that take milliseconds to load, and that most commands only have at hand. */
const slow = /^node:(child_process|crypto|dns\/promises|https?|readline|readline\/promises|tls|worker_threads|zlib)$/

const isFunction = (module, name) => typeof process.getBuiltinModule(module)[name] === 'function'

/** Stands for what a slow module exports, which is loaded once something is done with it: called, made, read, or asked for what is of it. */
const late = `const $late = (module, name) => {
  let found;
  const it = () => (found ??= name ? globalThis.process.getBuiltinModule(module)[name] : globalThis.process.getBuiltinModule(module));
  return new Proxy(function () {}, {
    apply: (_, self, values) => Reflect.apply(it(), self, values),
    construct: (_, values, target) => Reflect.construct(it(), values, target),
    get: (_, key) => it()[key],
    has: (_, key) => key in it(),
  });
};`

/**
 * Node's own modules are asked for by a function call: an `import` of node:http reads all that it exports, and two of those
 * load a whole HTTP client, for 40 ms. The slow ones are asked for at their first use. The bundler writes each import on a line
 * of its own.
 */
export const builtins = {
  name: 'builtins',
  renderChunk: (source) => {
    let isLate = false
    const code = source.replace(/^import (.+) from "(node:[\w/]+)";$/gm, (_, names, module) => {
      const [, whole, parts] = /^(?:\* as )?([\w$]+)?(?:, )?(\{.*\})?$/.exec(names)
      const single = [...(parts?.matchAll(/([\w$]+)(?: as ([\w$]+))?/g) ?? [])]
      // What is no function is handed on as what it is, and may be looked at: a proxy of it would seem to be one.
      if (slow.test(module) && single.every(([, name]) => isFunction(module, name))) {
        isLate = true
        const lines = single.map(([, name, as = name]) => `const ${as} = $late("${module}", "${name}");`)
        return [...(whole ? [`const ${whole} = $late("${module}");`] : []), ...lines].join(' ')
      }
      const targets = [whole, parts?.replaceAll(' as ', ': ')].filter(Boolean)
      return targets.map((target) => `const ${target} = globalThis.process.getBuiltinModule("${module}");`).join(' ')
    })
    return { code: isLate ? `${late} ${code}` : code, map: null }
  },
}

/** The same, to be read by a Node that cannot be asked in that way. */
export const anyNode = {
  name: 'any-node',
  renderChunk: (code) => ({
    code: code.replace(
      /^import (\{.*\}) from "(node:[\w/]+)";$/gm,
      (_, names, module) =>
        `const ${names.replaceAll(' as ', ': ')} = process.getBuiltinModule?.("${module}") ?? (await import("${module}"));`,
    ),
    map: null,
  }),
}

/**
 * Code that TypeScript compiled to CommonJS loads all it imports as soon as it is loaded itself. Here each import waits for
 * its first use: oclif needs templates, globs and semantic versions only now and then.
 */
export const lazyRequires = {
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

/** Of dockerode, what moat never asks for: engines over ssh, BuildKit's sessions, directories to build from. */
export const leaveOut = {
  load: (id) => stubs[id],
  name: 'leave-out',
  resolveId: (id, importer) => {
    if (!/node_modules\/(dockerode|docker-modem)\//.test(importer ?? '')) return undefined
    return unused.test(id) ? '\0unused' : `\0${id}` in stubs ? `\0${id}` : undefined
  },
}

/**
 * Node's TLS takes 15 ms to load, and engines are local. Its streams do what dockerode has a library for. `debug` would bring all of
 * oclif, in whose file it is, into processes that live for days.
 */
const stubs = {
  '\0debug': 'module.exports = () => () => {}',
  '\0https': "module.exports = { request: (...values) => process.getBuiltinModule('https').request(...values) }",
  '\0readable-stream': "module.exports = process.getBuiltinModule('stream')",
  '\0unused': 'module.exports = {}',
}

const unused = /^(ssh2|protobufjs|@grpc\/.*|tar-fs|@balena\/dockerignore|zlib|\.\/(session|buildkit))$/

/**
 * One character beyond ASCII makes V8 keep a whole file with two bytes for each. Only of libraries: what follows on such a line
 * moves, and source maps do not know.
 */
export const ascii = {
  generateBundle(_, output) {
    for (const chunk of Object.values(output)) {
      if (chunk.name !== 'oclif') continue
      chunk.code = chunk.code.replace(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    }
  },
  name: 'ascii',
}

/** What a module finds beside itself, it finds two directories below the root, in src and in dist. */
export const depth = {
  generateBundle(_, output) {
    for (const { code = '', fileName } of Object.values(output)) {
      if (/['"`]\.\.\/\.\./.test(code) && code.includes('import.meta.url') && fileName.split('/').length !== 2)
        throw new Error(`${fileName} looks for files beside it, and does not lie two directories below the root`)
    }
  },
  name: 'depth',
}

/** Commands come in order from the manifest, which is sorted; the first comparison by language costs 8 ms. */
export const unsorted = {
  name: 'unsorted',
  transform: {
    filter: { id: /@oclif\/core\/lib\/config\/plugin\.js$/ },
    handler: (source) => {
      const code = source.replace(
        '.sort((a, b) => a.id.localeCompare(b.id))',
        '.sort((a, b) => (a.id < b.id ? -1 : 1))',
      )
      if (code === source) throw new Error('oclif sorts its commands in another way now')
      return { code, map: null }
    },
  },
}

/** dockerode writes out each request with all that belongs to it, for 5 ms, whether anybody wants to read it or not. */
export const unspoken = {
  name: 'unspoken',
  transform: {
    filter: { id: /docker-modem\/lib\/modem\.js$/ },
    handler: (source) => {
      const code = source.replace(/util\.inspect\(options, \{\s*showHidden: true,\s*depth: null\s*\}\)/, 'options.path')
      if (code === source) throw new Error('dockerode tells of its requests in another way now')
      return { code, map: null }
    },
  },
}

/** oclif tells a library for debugging what it does, whether anybody wants to know or not; it takes 3 ms to load, with a terminal to look at. */
export const quiet = {
  name: 'quiet',
  transform: {
    filter: { id: /@oclif\/core\/lib\/logger\.js$/ },
    handler: (source) => {
      const code = source.replace(
        /\(0, debug_1\.default\)\(namespace\)/,
        'process.env.DEBUG ? $& : Object.assign(() => {}, { enabled: false, namespace })',
      )
      if (code === source) throw new Error('oclif makes its loggers in another way now')
      return { code, map: null }
    },
  },
}
