// Owns what the files of a Python project say about how it is run.
import { suggestDnsLabel } from '../routing/dns-label.js'
import { chooseVersion, firstLine, toolVersion } from './choose-version.js'
import type { InstallStep, Project, ReadProjectFile } from './project.js'

/** As modules: pip puts programs where an image without a user `agent` has no PATH to. */
const frameworks: { command: string[]; name: string; port: number }[] = [
  { command: ['python', 'manage.py', 'runserver', '0.0.0.0:8000'], name: 'django', port: 8000 },
  {
    command: ['python', '-m', 'uvicorn', 'main:app', '--host', '0.0.0.0', '--port', '8000', '--reload'],
    name: 'fastapi',
    port: 8000,
  },
  {
    command: ['python', '-m', 'flask', 'run', '--host', '0.0.0.0', '--port', '5000', '--debug'],
    name: 'flask',
    port: 5000,
  },
]

interface Tool {
  /** moat.yaml's name for it; pip comes with Python. */
  dependency?: string
  env?: Record<string, string>
  file: string
  install: string
  /** Put before the command. */
  run: string[]
}

/** The first whose file is there. Environments lie outside the workspace: the host's own has paths of the host in it. */
const tools: Tool[] = [
  {
    dependency: 'uv',
    env: { UV_PROJECT_ENVIRONMENT: '/tmp/venv' },
    file: 'uv.lock',
    install: 'uv sync --frozen',
    run: ['uv', 'run', '--frozen'],
  },
  { dependency: 'poetry', file: 'poetry.lock', install: 'poetry install', run: ['poetry', 'run'] },
  { dependency: 'pipenv', file: 'Pipfile.lock', install: 'pipenv sync --dev', run: ['pipenv', 'run'] },
  { file: 'requirements.txt', install: 'pip install -r requirements.txt', run: [] },
  { file: 'pyproject.toml', install: 'pip install -e .', run: [] },
]

export async function detectPython(read: ReadProjectFile): Promise<Project | undefined> {
  const names = ['pyproject.toml', 'requirements.txt', 'Pipfile']
  const [pyproject, requirements, pipfile] = await Promise.all(names.map(read))
  const found = [pyproject, requirements, pipfile]
  const evidence = names.find((_, index) => found[index] !== undefined)
  if (evidence === undefined) return undefined
  const text = found.map((part) => part ?? '').join('\n')
  const name = /^name\s*=\s*["']([^"']+)["']/m.exec(pyproject ?? '')?.[1]
  const framework = frameworks.find((known) => new RegExp(`(?<![\\w-])${known.name}(?![\\w-])`, 'i').test(text))
  const label = name === undefined ? undefined : suggestDnsLabel(name)
  const tool = await findTool(read, text)
  return {
    dependencies: [`python@${await findVersion(read, text)}`, ...(tool?.dependency ? [tool.dependency] : [])],
    evidence: [evidence, ...(framework ? [framework.name] : [])],
    ...(framework && { command: [...(tool?.run ?? []), ...framework.command], port: framework.port }),
    ...(tool?.env && { env: tool.env }),
    ...(tool && { install: { command: tool.install, from: tool.file } satisfies InstallStep }),
    ...(label !== undefined && { name: label }),
  }
}

async function findTool(read: ReadProjectFile, text: string): Promise<Tool | undefined> {
  for (const tool of tools) {
    // A pyproject.toml may hold no more than settings of other tools.
    if (tool.file === 'pyproject.toml' && !/^\[(?:project|tool\.poetry)\]/m.test(text)) continue
    if ((await read(tool.file)) !== undefined) return tool
  }
  return undefined
}

async function findVersion(read: ReadProjectFile, text: string): Promise<string> {
  const [pinned, runtime, toolVersions] = await Promise.all(
    ['.python-version', 'runtime.txt', '.tool-versions'].map(read),
  )
  return chooseVersion('python', [
    firstLine(pinned),
    firstLine(runtime),
    toolVersion(toolVersions, 'python'),
    /^\s*requires-python\s*=\s*["']([^"']*)["']/m.exec(text)?.[1],
    // Poetry's, and pipenv's.
    /^\s*python\s*=\s*["']([^"']*)["']/m.exec(text)?.[1],
    /^\s*python_(?:full_)?version\s*=\s*["']([^"']*)["']/m.exec(text)?.[1],
  ])
}
