// Owns which code that commands share is in one file: each file costs, and so does code that is loaded and not used.

/** A few lines, which TAB needs too. */
const oclifSettings = '/@oclif/core/lib/settings.js'

/** What a shell's TAB after `moat stop` loads. */
const atTab = ['completion/answer.ts', 'completion/live-values.ts', 'engine/peek-agents.ts']

/** What every command of moat's loads. */
const always = ['terminal/moat-command.ts', 'terminal/run-cli.ts']

/** What is asked for again and again, and by scripts: what these need besides is in one file. */
const often = [
  'commands/list.ts',
  'commands/proxy/status.ts',
  'commands/status.ts',
  'commands/stop.ts',
  'supervisor/other-engine.ts',
]

/** What every command of an agent loads. */
const withEngine = ['engine/docker-engine.ts']

/** What reads labels, with the small form of zod: without the rest of zod, which reads what people write. */
const withAgents = ['egress/parse-live-rules.ts', 'engine/sort-containers.ts']

/** What reads a moat.yaml, then what a run is planned with, then what starts it: where a moat.yaml is wrong, only the first is loaded. */
const forReading = ['agents/plan/plan-agent.ts', 'commands/run.ts']
const forPlan = ['agents/plan/complete-plan.ts', 'endpoints/http.ts']
const forStart = ['terminal/run-session.ts']

/** What is told after an end; some of it belongs to a start, too. */
const forReview = ['terminal/tell-review.ts']

export const groups = [
  { name: 'oclif', priority: 9, test: /\/@oclif\/core\// },
  {
    debugName: 'at TAB',
    name: (id, graph) => (id.endsWith(oclifSettings) || neededBy(atTab, graph).has(id) ? 'tab' : null),
    priority: 10,
  },
  { debugName: 'always', name: (id, graph) => (neededBy(always, graph).has(id) ? 'always' : null), priority: 7 },
  { debugName: 'often', name: (id, graph) => (neededBy(often, graph).has(id) ? 'often' : null), priority: 6 },
  { debugName: 'agents', name: (id, graph) => (neededBy(withAgents, graph).has(id) ? 'agents' : null), priority: 5.5 },
  { debugName: 'yaml', name: (id, graph) => (isOf(forReading, id, graph) ? 'yaml' : null), priority: 4.5 },
  { debugName: 'review', name: (id, graph) => (isOf(forReview, id, graph) ? 'review' : null), priority: 4 },
  { debugName: 'plan', name: (id, graph) => (isOf(forPlan, id, graph) ? 'plan' : null), priority: 3 },
  { debugName: 'start', name: (id, graph) => (isOf(forStart, id, graph) ? 'start' : null), priority: 2 },
  { debugName: 'engine', name: (id, graph) => (neededBy(withEngine, graph).has(id) ? 'engine' : null), priority: 5 },
  {
    debugName: 'of moat',
    minShareCount: 4,
    name: (id, graph) => (id.includes('/src/') ? nameShared(needs(id, graph)) : null),
    priority: 1,
  },
]

/** Without the libraries, which others need too. */
const isOf = (roots, id, graph) => id.includes('/src/') && neededBy(roots, graph).has(id)

const closures = new Map()

/** The modules that are loaded together with these, without themselves where they are files of their own. */
function neededBy(roots, graph) {
  const known = closures.get(roots)
  if (known) return known
  const found = new Set()
  const walk = (id) => {
    if (found.has(id) || id.startsWith('node:')) return
    found.add(id)
    for (const next of graph.getModuleInfo(id)?.importedIds ?? []) walk(next)
  }
  for (const root of roots) walk(`${process.cwd()}/src/${root}`)
  for (const id of [...found]) if (graph.getModuleInfo(id)?.isEntry) found.delete(id)
  closures.set(roots, found)
  return found
}

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
