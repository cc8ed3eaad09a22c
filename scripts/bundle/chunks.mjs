// Owns which code that commands share is in one file: each file costs, and so does code that is loaded and not used.

/** A few lines, which TAB needs too. */
const oclifSettings = '/@oclif/core/lib/settings.js'

export const groups = [
  { name: 'settings', test: (id) => id.endsWith(oclifSettings) },
  { name: 'oclif', test: /\/@oclif\/core\// },
  {
    debugName: 'of moat',
    minShareCount: 4,
    name: (id, graph) => (id.includes('/src/') ? nameShared(needs(id, graph)) : null),
  },
]

/** Code that needs nothing, and code that needs only oclif: a command may well load that without using all of it. */
function nameShared(needed) {
  if (needed.size === 0) return 'base'
  return [...needed].every((id) => id.includes('/@oclif/core/')) ? 'moat' : null
}

/** The modules of libraries that a module of moat's needs, also by way of others of moat's, and Node's that load slowly. */
function needs(id, graph, seen = new Set()) {
  if (seen.has(id)) return new Set()
  seen.add(id)
  if (id.endsWith(oclifSettings)) return new Set()
  if (id.includes('/node_modules/') || slowBuiltins.test(id)) return new Set([id])
  const imported = graph.getModuleInfo(id)?.importedIds ?? []
  return new Set(imported.flatMap((next) => [...needs(next, graph, seen)]))
}

const slowBuiltins = /^node:(child_process|crypto|https?|net|readline|readline\/promises|tls|zlib)$/
