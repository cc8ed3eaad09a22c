// Owns how a person is told to trust the root certificate, once, when it is made.
import { displayPath } from '../config/paths.js'
import { shellQuote } from '../config/shell-quote.js'

/** Lines to print, for the platform moat runs on. */
export function trustHint(certificatePath: string, platform: NodeJS.Platform = process.platform): string[] {
  const path = quoted(displayPath(certificatePath))
  return [
    '',
    'A certificate authority for localhost was made on this machine. To have browsers and tools trust it:',
    ...commands(path, platform).map(([where, command]) => `  ${where}: ${command}`),
    `Without that: curl --cacert ${path} <url>`,
    '',
  ]
}

/** The commands alone. */
export function trustCommands(certificatePath: string, platform: NodeJS.Platform = process.platform): string[] {
  return commands(quoted(displayPath(certificatePath)), platform).map(([, command]) => command)
}

function commands(path: string, platform: NodeJS.Platform): [where: string, command: string][] {
  if (platform === 'darwin') {
    return [['macOS', `sudo security add-trusted-cert -d -r trustRoot -k /Library/Keychains/System.keychain ${path}`]]
  }
  return [
    ['Debian, Ubuntu', `sudo cp ${path} /usr/local/share/ca-certificates/moat.crt && sudo update-ca-certificates`],
    ['Fedora, Arch', `sudo trust anchor ${path}`],
  ]
}

/** A path for a shell. `~` must stand outside the quotes, or it means nothing. */
function quoted(path: string): string {
  return path.startsWith('~/') ? `~/${shellQuote(path.slice(2))}` : shellQuote(path)
}
