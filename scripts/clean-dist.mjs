// Removes compiled output before a build: a command file that was deleted from src must not live on in dist.
import { rmSync } from 'node:fs'

rmSync(new URL('../dist', import.meta.url), { force: true, recursive: true })
