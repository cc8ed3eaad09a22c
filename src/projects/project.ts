// Owns what is found out about a project before it has a moat.yaml.

/** What moat.yaml needs to know. What could not be told is left out. */
export interface Project {
  command?: string[] | string
  dependencies: string[]
  env?: Record<string, string>
  /** Which files said so, for the person who checks. */
  evidence: string[]
  name?: string
  port?: number
}

/** The text of a file in the project; undefined when there is none. */
export type ReadProjectFile = (name: string) => Promise<string | undefined>
