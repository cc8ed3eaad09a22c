// Owns hooks.pre_run: scripts that run in the container, as the agent's user, before its command.

/**
 * A command that runs each script by `sh -c`, then becomes `command`; the first script that fails ends it with that
 * script's exit code.
 */
export function withPreRun(command: readonly string[], scripts: readonly string[]): string[] {
  if (scripts.length === 0) return [...command]
  const steps = scripts.map(() => 'sh -c "$1" || exit; shift')
  return ['sh', '-c', [...steps, 'exec "$@"'].join('; '), 'sh', ...scripts, ...command]
}
