// Owns showing a URL in a person's browser, where there is one.

/** Why no browser is started; undefined when one can be. */
export function noBrowserReason(
  env: NodeJS.ProcessEnv,
  { isTTY, platform }: { isTTY: boolean; platform: NodeJS.Platform },
): string | undefined {
  if (!isTTY) return 'there is no terminal'
  const display = env.DISPLAY ?? env.WAYLAND_DISPLAY ?? env.WSL_DISTRO_NAME
  if (platform === 'linux' && !display) return 'there is no display'
  return undefined
}

/** Resolves once the browser has been started, or with why it was not. */
export async function openBrowser(url: string): Promise<string | undefined> {
  // Loaded here: it looks at the machine when it is loaded.
  const { default: open } = await import('open')
  try {
    const child = await open(url)
    // It may be missing or fail at once; it also may stay for as long as the browser does.
    return await new Promise((resolve) => {
      child.once('error', (error) => resolve(error.message))
      child.once('spawn', () => resolve(undefined))
      child.once('exit', (code) => resolve(code ? `it ended with ${code}` : undefined))
    })
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}
