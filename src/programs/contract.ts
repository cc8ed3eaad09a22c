// Owns the contract with plugins that bring a coding agent: plain data, and one function that says how the program is started. Of it
// moat makes a command. Exported as `moat-cli/plugin`. Fields may be added, never removed or renamed.

/** A directory that outlives the run. */
export interface AgentState {
  /** Absolute path in the container. One may lie directly in another. */
  directory: string
  /**
   * Who finds the same there: every run with this profile, or only runs in one repository, all of its worktrees among them. In the
   * container every workspace is /workspace, so what an agent keeps by the path of a project belongs to `repository`.
   */
  scope: 'profile' | 'repository'
}

/** A file that is put into a directory of `state` where there is none yet. */
export interface AgentSeed {
  /** A symbolic link to that path instead: to `contextFile`, say, which is of this run alone. */
  linkTo?: string
  /** Absolute path in the container. */
  path: string
  text?: string
}

/**
 * The program's login on the user's own machine, as JSON in one file. Where the user asks for it, and says yes to a question, its `keys` are
 * copied into the container, and nothing else.
 */
export interface AgentHostLogin {
  /** A file below the user's home, such as `~/.mine/login.json`. */
  from: string
  /** The fields that are the login. */
  keys: readonly string[]
  /** Absolute path in the container, directly in a directory of `state` of the scope `profile`. The file of `login`, if there is that. */
  to: string
  /** A variable of the user's that has another directory for the file, if it is set. */
  variable?: string
}

/** What a person has asked for, as the program's command line is to say it. */
export interface AgentStart {
  /** What the program should know of this run, in Markdown; empty where `contextFile` has it. */
  context: string
  /** True for the last conversation. */
  continue: boolean
  /** Variables of the container, as far as this package, moat.yaml and flags set them. */
  env: Readonly<Record<string, string>>
  /** The one of `grants` that it has; absent where it has none, and uses its own login. */
  grant?: string
  /** True without a terminal: answer `prompt`, write the answer to stdout, end. */
  print: boolean
  prompt?: string
  /** The id of a conversation, or true for a list to choose from. */
  resume?: string | true
  /** True where the program need not ask before it acts: the container is the limit. */
  yolo: boolean
}

/** A coding agent: the command of its name runs it in a container. */
export interface AgentProgram {
  /** Where the program reads what `context` says, an absolute path in the container. Absent: `command` passes it on. */
  contextFile?: string
  /** What is run in /workspace. */
  command(start: AgentStart): readonly string[]
  /** As under `dependencies` in moat.yaml, which wins where it names the same. */
  dependencies: readonly string[]
  /** Variables; those of moat.yaml and of `--env` win. */
  env?: Readonly<Record<string, string>>
  /** Names of the grants that it can do with, the best first. */
  grants: readonly string[]
  /** Hosts that it needs under a policy that allows nothing else, as `--allow` takes them; a grant brings its own. */
  hosts?: readonly string[]
  /** The last way: a copy of the user's own login, for `--import`. */
  hostLogin?: AgentHostLogin
  /** The third way, besides grants: what logs in, and the file that there is afterwards, in a directory of `state`. */
  login?: { command: readonly string[]; file: string }
  /** The command's name, a DNS label. It stands in the package's `moat.agents` too. */
  name: string
  seeds?: readonly AgentSeed[]
  state: readonly AgentState[]
  /** As a person calls it. */
  title: string
}
