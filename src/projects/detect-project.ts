// Owns guessing how a project is run, from the files in its directory. No network, nothing of the project is run.
import { basename } from 'node:path'
import { suggestDnsLabel } from '../routing/dns-label.js'
import { detectNode } from './detect-node.js'
import { detectGo, detectJava, detectRuby, detectRust } from './detect-others.js'
import { detectPython } from './detect-python.js'
import type { Project, ReadProjectFile } from './project.js'
import { projectFiles } from './read-project-file.js'
import { serverPort } from './server-port.js'

/** In the order in which they are asked: of several that fit, the first is taken. */
const kinds = [detectNode, detectPython, detectRuby, detectGo, detectRust, detectJava]

/** The first kind of project that fits, completed by its Procfile. */
export async function detectProject(directory: string): Promise<Project> {
  const read = projectFiles(directory)
  let project: Project = { dependencies: [], evidence: [] }
  for (const detect of kinds) {
    const found = await detect(read)
    if (!found) continue
    project = found
    break
  }
  const name = project.name ?? suggestDnsLabel(basename(directory))
  return { ...(await withProcfile(project, read)), ...(name !== undefined && { name }) }
}

/** A Procfile's `web` process is what its author means to be run; it takes its port from PORT. */
async function withProcfile(project: Project, read: ReadProjectFile): Promise<Project> {
  const web = /^web:\s*(.+)$/m.exec((await read('Procfile')) ?? '')?.[1]?.trim()
  if (web === undefined) return project
  const port = serverPort(web) ?? project.port ?? 3000
  return {
    ...project,
    command: web,
    env: { ...project.env, PORT: String(port) },
    evidence: [...project.evidence, 'Procfile'],
    port,
  }
}
