// Owns the part of the engine's port that looks into images and containers: variables and files.
import type { Readable } from 'node:stream'

export interface ContainerFile {
  /** Makes it a symbolic link. */
  linkTo?: string
  /** Default: 0644. */
  mode?: number
  name: string
  /** Default: root. */
  owner?: { gid: number; uid: number }
  text: string
}

/** What an image says about the containers made of it. */
export interface ImageFacts {
  /** As Go names it: `amd64`, `arm64`, … */
  architecture: string
  /** Arguments of the entrypoint, or a program and its arguments where there is none. */
  command: string[]
  entrypoint: string[]
  environment: Record<string, string>
  /** Of its content. */
  id: string
  labels: Record<string, string>
}

export interface EngineFiles {
  describeImage(image: string): Promise<ImageFacts>
  /** True where something of that name is, in a container, running or not; a link by itself. Reads nothing of it. */
  has(containerId: string, path: string): Promise<boolean>
  /** The text of a file in a container, running or not, links followed; undefined when there is none. */
  read(containerId: string, path: string): Promise<string | undefined>
  /** The same for what is no text. */
  readBytes(containerId: string, path: string): Promise<Buffer | undefined>
  /** Unpacks a tar archive, with the owners that it names, at the root of a container, running or not, and in its volumes. */
  unpack(containerId: string, archive: Readable): Promise<void>
  /** Puts files into a directory of a container, running or not, which is made if need be. */
  write(containerId: string, directory: string, files: readonly ContainerFile[]): Promise<void>
}
