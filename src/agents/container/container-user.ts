// Owns that an agent's user has a name and a home: an image that moat did not build knows nothing of that user, and Node's
// os.userInfo(), ssh, sudo and git fail for a user without an entry.
import type { MoatPaths } from '../../config/paths.js'
import { agentHome } from '../../engine/container-request.js'
import type { Engine } from '../../engine/engine.js'
import type { ImageFacts } from '../../engine/files.js'
import type { HostUser } from '../../images/to-dockerfile.js'
import { remembered } from './image-memory.js'

const passwd = '/etc/passwd'
const group = '/etc/group'

export interface NamingOptions {
  engine: Pick<Engine, 'files' | 'isRootless'>
  image: Pick<ImageFacts, 'id'>
  paths: Pick<MoatPaths, 'bundles'>
}

/** Puts what is missing into the created container, before its start. A user that the image knows stays as it is. */
export async function nameUser(
  { engine, image, paths }: NamingOptions,
  containerId: string,
  { gid, uid }: HostUser,
  mounts: readonly { target: string }[],
): Promise<void> {
  if (uid === 0 || (await engine.isRootless())) return
  // What the user has mounted there is the user's.
  if (mounts.some(({ target }) => [passwd, group, '/etc'].includes(target))) return
  const text = await remembered(paths, [image.id, passwd, group], async () =>
    JSON.stringify(
      await Promise.all([passwd, group].map(async (path) => (await engine.files.read(containerId, path)) ?? null)),
    ),
  )
  const [users, groups] = JSON.parse(text) as (string | null)[]
  const files = [
    ...added(passwd, users ?? 'root:x:0:0:root:/root:/bin/sh\n', uid, `:${uid}:${gid}::${agentHome}:/bin/sh`),
    ...added(group, groups ?? 'root:x:0:\n', gid, `:${gid}:`),
  ]
  if (files.length > 0) await engine.files.write(containerId, '/', files)
}

/** The file with a line for the id; none where it has one. */
function added(path: string, text: string, id: number, rest: string) {
  const lines = text.split('\n').filter((line) => line !== '')
  if (lines.some((line) => line.split(':')[2] === String(id))) return []
  const taken = new Set(lines.map((line) => line.split(':')[0]))
  const name = taken.has('agent') ? `agent-${id}` : 'agent'
  return [{ name: path.slice(1), text: `${[...lines, `${name}:x${rest}`].join('\n')}\n` }]
}
