// Removes compiled output before a build: a command file that was deleted from src must not live on in dist.
import { readdirSync, rmSync } from 'node:fs'

const root = new URL('../', import.meta.url)
const plugins = readdirSync(new URL('plugins/', root), { withFileTypes: true }).filter((entry) => entry.isDirectory())
for (const path of ['', ...plugins.map(({ name }) => `plugins/${name}/`)]) {
  rmSync(new URL(`${path}dist`, root), { force: true, recursive: true })
  rmSync(new URL(`${path}tsconfig.tsbuildinfo`, root), { force: true })
}
