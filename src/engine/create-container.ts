// Owns creating a container. An agent's gets its seal, and none of the labels its image may bring along.
import type Docker from 'dockerode'
import { sealKeyFile } from '../config/paths.js'
import { containerRequest } from './container-request.js'
import { type ContainerSpec, ImageMissingError, NameReservedError } from './engine.js'
import { isTakenName, statusOf } from './engine-errors.js'
import type { EngineTraits } from './engine-traits.js'
import { judgeContainer, type Owner, sealedContainer } from './judge-container.js'
import { labels } from './labels.js'
import { type SealedContainer, seal, withoutInherited } from './seal.js'
import { ensureSealKey } from './seal-key.js'

export interface CreateOptions {
  docker: Docker
  /** The `~/.moat` whose key seals its agents. */
  home: string | undefined
  traits: EngineTraits
}

/** Throws NameReservedError, ImageMissingError, or as the engine says. */
export async function createContainer(spec: ContainerSpec, { docker, home, traits }: CreateOptions): Promise<string> {
  if (home === undefined || spec.labels[labels.home] !== home) {
    return requestContainer(docker, spec, traits)
  }
  const owner = { home, key: await ensureSealKey(sealKeyFile(home)) }
  let listed: Required<SealedContainer> | undefined
  for (const bound of [boundAsAsked, boundAsListed, boundByName]) {
    const image = await describeImage(docker, spec.image)
    const values = { ...withoutInherited(image.labels), ...spec.labels }
    const sealed = { ...bound(spec, image.id, listed), labels: values, name: spec.name }
    const labelled = { ...spec, labels: { ...values, [labels.seal]: seal(owner.key, sealed) } }
    const containerId = await requestContainer(docker, labelled, traits)
    const found = await lookUp(docker, containerId, owner)
    if (found === 'genuine') return containerId
    await docker.getContainer(containerId).remove({ force: true, v: true })
    listed = found
  }
  throw new Error(`it shows the container ${spec.name} otherwise than it was created`)
}

type Bound = (
  spec: ContainerSpec,
  imageId: string,
  listed: Required<SealedContainer> | undefined,
) => Pick<SealedContainer, 'image' | 'mounts'>

/** As Docker and Podman list it. */
const boundAsAsked: Bound = ({ mounts }, imageId) => ({ image: imageId, mounts })
/** An engine in a virtual machine may show the paths that it has there. */
const boundAsListed: Bound = (_spec, _imageId, listed) => ({ image: listed?.image, mounts: listed?.mounts })
/** One that shows image or mounts otherwise each time leaves nothing else. */
const boundByName: Bound = () => ({})

/** Looked at once more than needed, since an agent whose seal does not hold could be neither reached nor stopped. */
async function lookUp(
  docker: Docker,
  containerId: string,
  owner: Owner,
): Promise<'genuine' | Required<SealedContainer> | undefined> {
  const [info] = await docker.listContainers({ all: true, filters: { id: [containerId] } })
  if (!info) return undefined
  return judgeContainer(info, owner) === 'genuine' ? 'genuine' : sealedContainer(info)
}

async function describeImage(docker: Docker, image: string) {
  try {
    const { Config, Id } = await docker.getImage(image).inspect()
    return { id: Id, labels: Config?.Labels }
  } catch (cause) {
    throw statusOf(cause) === 404 ? missing(image, cause) : cause
  }
}

async function requestContainer(docker: Docker, spec: ContainerSpec, traits: EngineTraits): Promise<string> {
  try {
    const { name, ...body } = containerRequest(spec, traits)
    // Else all of it is sent twice, in the URL too, where values of the environment are nobody's to log.
    const options = { _body: body, _query: { name } } as unknown as Docker.ContainerCreateOptions
    return (await docker.createContainer(options)).id
  } catch (cause) {
    if (isTakenName(cause)) throw new NameReservedError(`Another container holds the name ${spec.name}.`, { cause })
    throw statusOf(cause) === 404 ? missing(spec.image, cause) : cause
  }
}

function missing(image: string, cause: unknown): ImageMissingError {
  return new ImageMissingError(`The engine has no image ${image}.`, { cause })
}
