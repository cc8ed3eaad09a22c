// Owns the part of the engine's port that looks into images and containers: variables and files.

export interface ContainerFile {
  name: string
  text: string
}

export interface EngineFiles {
  /** The variables that an image sets. */
  imageEnvironment(image: string): Promise<Record<string, string>>
  /** The text of a file in a container, running or not, links followed; undefined when there is none. */
  read(containerId: string, path: string): Promise<string | undefined>
  /** Puts root's files into a directory of a container, running or not, which is made if need be. */
  write(containerId: string, directory: string, files: readonly ContainerFile[]): Promise<void>
}
