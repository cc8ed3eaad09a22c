// Images that moat has built on this machine, kept from a `moat clean` that a test calls: they are nobody's alone, and the next run of the
// tests would spend minutes on building them again.
import type Docker from 'dockerode'
import { labels } from '../../src/engine/labels.js'

/** Each has a container from now on, which never starts; the function returned removes them. */
export async function holdImages(docker: Docker): Promise<() => Promise<void>> {
  const images = await docker.listImages({ filters: { label: [labels.image] } })
  const held = images.map(({ Id }) =>
    docker.createContainer({ Cmd: ['true'], Image: Id, Labels: { [labels.image]: '' } }),
  )
  // One may be gone by now.
  const made = (await Promise.allSettled(held)).flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
  return async () => {
    await Promise.all(made.map((container) => container.remove()))
  }
}
