// Owns which images count as built by moat, so that clearing up removes those and nobody else's. Pure.
import { labels } from './labels.js'

export const builtImageName = 'moat-agent'

/** As `imageTag` makes them; Podman writes out where a short name belongs. */
const builtName = new RegExp(`^(localhost/|docker\\.io/library/)?${builtImageName}:[0-9a-f]{12}$`)

/**
 * By what an image may be removed: names moat gives, or the id of one without a name. Its label alone says nothing:
 * whoever builds on such an image inherits it. An image without a name has to have all labels that moat's builds have.
 */
export function removableNames(image: {
  Id: string
  Labels: Readonly<Record<string, string>> | null
  RepoTags?: string[] | null | undefined
}): string[] {
  const names = (image.RepoTags ?? []).filter((tag) => tag !== '<none>:<none>')
  if (names.length > 0) return names.filter((name) => builtName.test(name))
  return isBuilt(image.Labels ?? {}) ? [image.Id] : []
}

function isBuilt(values: Readonly<Record<string, string>>): boolean {
  return Object.values(labels).every((label) => values[label] === (label === labels.image ? '1' : ''))
}
