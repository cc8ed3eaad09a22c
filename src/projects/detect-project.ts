// Owns guessing how a project is run, from the files in its directory. No network, nothing of the project is run.
import { basename } from 'node:path'
import { suggestDnsLabel } from '../routing/dns-label.js'
import { detectNode } from './detect-node.js'
import type { Project, ReadProjectFile } from './project.js'
import { projectFiles } from './read-project-file.js'

/** The first kind of project that fits, completed by its Procfile. */
export async function detectProject(directory: string): Promise<Project> {
  const read = projectFiles(directory)
  const kinds = [detectNode, detectPython, detectGo]
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

const pythonFrameworks: { command: string[]; name: string; port: number }[] = [
  { command: ['python', 'manage.py', 'runserver', '0.0.0.0:8000'], name: 'django', port: 8000 },
  { command: ['uvicorn', 'main:app', '--host', '0.0.0.0', '--port', '8000', '--reload'], name: 'fastapi', port: 8000 },
  { command: ['flask', 'run', '--host', '0.0.0.0', '--port', '5000', '--debug'], name: 'flask', port: 5000 },
]

async function detectPython(read: ReadProjectFile): Promise<Project | undefined> {
  const [pyproject, requirements] = await Promise.all([read('pyproject.toml'), read('requirements.txt')])
  if (pyproject === undefined && requirements === undefined) return undefined
  const text = `${pyproject ?? ''}\n${requirements ?? ''}`
  const version = /requires-python\s*=\s*["'][^0-9"']*(\d+\.\d+)/.exec(text)?.[1] ?? '3.12'
  const name = /^name\s*=\s*["']([^"']+)["']/m.exec(pyproject ?? '')?.[1]
  const framework = pythonFrameworks.find((known) => new RegExp(`\\b${known.name}\\b`, 'i').test(text))
  const label = name === undefined ? undefined : suggestDnsLabel(name)
  return {
    dependencies: [`python@${version}`],
    evidence: [pyproject === undefined ? 'requirements.txt' : 'pyproject.toml', ...(framework ? [framework.name] : [])],
    ...(framework && { command: framework.command, port: framework.port }),
    ...(label !== undefined && { name: label }),
  }
}

async function detectGo(read: ReadProjectFile): Promise<Project | undefined> {
  const module = await read('go.mod')
  if (module === undefined) return undefined
  const version = /^go (\d+\.\d+)/m.exec(module)?.[1] ?? '1.24'
  const name = /^module \S*?([^/\s]+)$/m.exec(module)?.[1]
  const label = name === undefined ? undefined : suggestDnsLabel(name)
  return {
    command: ['go', 'run', '.'],
    dependencies: [`go@${version}`],
    evidence: ['go.mod'],
    port: 8080,
    ...(label !== undefined && { name: label }),
  }
}

/** A Procfile's `web` process is what its author means to be run; it takes its port from PORT. */
async function withProcfile(project: Project, read: ReadProjectFile): Promise<Project> {
  const web = /^web:\s*(.+)$/m.exec((await read('Procfile')) ?? '')?.[1]?.trim()
  if (web === undefined) return project
  const port = Number(/(?:--port|-p|--bind \S*?:|:)[ =]?(\d{2,5})\b/.exec(web)?.[1] ?? project.port ?? 3000)
  return {
    ...project,
    command: web,
    env: { ...project.env, PORT: String(port) },
    evidence: [...project.evidence, 'Procfile'],
    port,
  }
}
