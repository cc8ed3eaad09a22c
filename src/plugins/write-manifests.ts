// Owns a manifest for each installed plugin that has commands and came without one: otherwise every moat command, and
// every TAB, would load all of that plugin's code to learn what commands it has.
import { access, writeFile } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { Plugin } from '@oclif/core'
import { installedPlugins } from '../config/installed-plugins.js'

/** Writes them into the copies npm installed in `directory`. Linked plugins change all the time, and are not ours. */
export async function writeManifests(directory: string): Promise<void> {
  for (const { root } of installedPlugins(directory)) {
    if (!root.startsWith(join(directory, 'node_modules') + sep)) continue
    const file = join(root, 'oclif.manifest.json')
    const exists = await access(file).then(
      () => true,
      () => false,
    )
    if (!exists) await writeManifest(root, file)
  }
}

/** Of a plugin whose commands cannot be loaded, none is written: it is said at each command what it lacks. */
async function writeManifest(root: string, file: string): Promise<void> {
  const plugin = new Plugin({ errorOnManifestCreate: true, ignoreManifest: true, respectNoCacheDefault: true, root })
  try {
    await plugin.load()
  } catch {
    return
  }
  await writeFile(file, JSON.stringify(plugin.manifest))
}
