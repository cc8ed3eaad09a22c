// Owns what is found out about a project before it has a moat.yaml.

/** What moat.yaml needs to know. What could not be told is left out. */
export interface Project {
  command?: string[] | string
  dependencies: string[]
  env?: Record<string, string>
  /** Which files said so, for the person who checks. */
  evidence: string[]
  install?: InstallStep
  name?: string
  port?: number
}

/** What installs a project's packages, for its files as they come from a repository. */
export interface InstallStep {
  /** For the shell. */
  command: string
  /** A test for the shell: true where nothing is left to do. Absent where the command sees that itself, quickly. */
  done?: string
  /** The file that says what to install. */
  from: string
}

/** The text of a file in the project; undefined when there is none. */
export type ReadProjectFile = (name: string) => Promise<string | undefined>
