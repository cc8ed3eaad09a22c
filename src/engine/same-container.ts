// Owns whether the engine lists a container as it did before, as far as an agent is read from that. Pure. It is asked of each
// container at each look, so it is quick.
import type { ContainerInfo } from 'dockerode'

export function isSameContainer(a: ContainerInfo, b: ContainerInfo): boolean {
  if (a === b) return true
  const isSameItself = a.Id === b.Id && a.State === b.State && a.Created === b.Created && a.ImageID === b.ImageID
  return (
    isSameItself &&
    haveSame(a.Names, b.Names, (one, other) => one === other) &&
    haveSameLabels(a.Labels ?? {}, b.Labels ?? {}) &&
    haveSame(a.Mounts, b.Mounts, isSameMount) &&
    haveSame(a.Ports, b.Ports, isSamePort)
  )
}

type Mount = ContainerInfo['Mounts'][number]
type Port = ContainerInfo['Ports'][number]

function isSameMount(a: Mount, b: Mount): boolean {
  return a.Type === b.Type && a.Destination === b.Destination && a.Source === b.Source && a.RW === b.RW
}

function isSamePort(a: Port, b: Port): boolean {
  return a.PublicPort === b.PublicPort && a.PrivatePort === b.PrivatePort && a.IP === b.IP && a.Type === b.Type
}

function haveSameLabels(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean {
  const names = Object.keys(a)
  if (names.length !== Object.keys(b).length) return false
  for (const name of names) if (a[name] !== b[name]) return false
  return true
}

/** In the same order: where an engine has another, the container is read anew. */
function haveSame<T>(
  a: readonly T[] | null | undefined,
  b: readonly T[] | null | undefined,
  same: (a: T, b: T) => boolean,
) {
  const [ones, others] = [a ?? [], b ?? []]
  return ones.length === others.length && ones.every((one, index) => same(one, others[index] as T))
}
