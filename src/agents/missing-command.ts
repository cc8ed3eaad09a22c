// Owns what a person is told when an agent ended because a command was not found: which one, and where it would come from. The
// exit code says neither: `npm run dev` ends with the same one when it is vite that is missing.
import { knownTools } from '../images/registry.js'
import { detectProject } from '../projects/detect-project.js'

/** A shell's exit code, and that of a container's first process, for a command that does not exist. */
export const missingCommandCode = 127

const name = String.raw`['"\x60‘]?([\w@%+,./-]{1,80})['"\x60’]?`
const missing = '(?:failed: |: )?No such file or directory'
const complaints = [
  // dash, busybox, bash, ksh, fish; with `exec` too
  String.raw`^[\w./-]+: (?:line )?(?:\d+: )?(?:exec: )?${name}: (?:inaccessible or )?(?:command )?not found`,
  // zsh
  `command not found: ${name}`,
  // env, nohup, nice, time
  String.raw`^[\w./-]*(?:env|nohup|nice|time|timeout|xargs): (?:(?:failed to|cannot) run command |cannot run )?${name}:? ?${missing}`,
  // Programs that start others: moat's own, tini, Node, Go, Python
  `^moat: cannot run ${name}: `,
  `exec ${name} ${missing}`,
  `spawn ${name} ENOENT`,
  `exec: ${name}: executable file not found`,
  `${missing}: ${name}$`,
  // pnpm, yarn, poetry, bundler
  `Command "${name}" not found`,
  `Command not found: ${name}$`,
  `bundler: command not found: ${name}`,
].map((pattern) => new RegExp(pattern, 'gm'))

/** More than a line of complaint, of what was written last. */
const kept = 4096

/** Names of commands to what in `dependencies` brings them, where the two differ. */
const bringers: Readonly<Record<string, string>> = {
  bunx: 'bun',
  bundle: 'ruby',
  cargo: 'rust',
  corepack: 'node',
  gem: 'ruby',
  mysql: 'mysql-client',
  npm: 'node',
  npx: 'node',
  pip: 'python',
  pip3: 'python',
  psql: 'postgresql-client',
  python3: 'python',
  rg: 'ripgrep',
  rustc: 'rust',
  sqlite3: 'sqlite',
  tsc: 'typescript',
  uvx: 'uv',
}

export class MissingCommand {
  #end = ''

  /** Takes in what the program writes. */
  hear(piece: string): void {
    this.#end = (this.#end + piece).slice(-kept)
  }

  /** The command that was complained of last; undefined when none was. */
  get name(): string | undefined {
    const found = complaints.flatMap((pattern) => [...this.#end.matchAll(pattern)])
    return found.toSorted((a, b) => a.index - b.index).at(-1)?.[1]
  }
}

export interface MissingFrom {
  command: readonly string[] | undefined
  /** What the image is made from. */
  image: string
  workspace: string
}

/** What to say once an agent has ended with that code. */
export async function missingCommandHint(heard: string | undefined, from: MissingFrom): Promise<string> {
  const { command = [], image, workspace } = from
  const [program = '', option] = command
  if ((heard === undefined || heard === program) && program === 'sh' && option === '-c')
    return `Is everything that the command calls, sh included, in the image (${image})?`
  const wanted = heard ?? program
  const question = `Is there a command ${wanted} in the image (${image})?`
  const dependency = bringers[wanted] ?? (knownTools().has(wanted) ? wanted : undefined)
  if (dependency !== undefined) return `${question} To have it there, add ${dependency} to dependencies in moat.yaml.`
  if (heard === undefined || heard === program) return question
  // Only advice: what the project's files say may be anything.
  const install = (await detectProject(workspace).catch(() => undefined))?.install?.command
  if (install === undefined) return question
  return `${question} If it comes with the project's packages, install them before it is called: ${install}`
}
