// Owns what Caddy is called with: by it moat's Caddys are known, also to commands that never start one.
import type { MoatPaths } from '../config/paths.js'

/** They say for whom it runs; the number in the file is for people, and never believed. */
export function caddyArguments({ caddyPid }: Pick<MoatPaths, 'caddyPid'>): string[] {
  return ['run', '--config', '-', '--pidfile', caddyPid]
}
