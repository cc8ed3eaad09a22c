// Owns what the text of a command says of the port its server listens on. Pure.

/** Programs whose `-p` is a port. To others it is a project, a path, a password, or a pair of ports. */
const portFlag = /^(?:gatsby|http-server|json-server|next|nuxi|nuxt|rackup|rails|serve|sirv|thin|unicorn)$/
/** What runs other programs, or sets their environment. */
const launchers = /^(?:\w+=|-|(?:bunx|cross-env|env|exec|npx|pnpm|pnpx|yarn|dotenv|bundle|poetry|uv|pipenv|run|sudo)$)/
/** They have ports that are no server's of the project. */
const others = /^(?:docker|docker-compose|kubectl|mysql|podman|psql|redis-cli|ssh|wait-on|wait-port|nc)$/

/** The commands in a line for the shell, as text. */
export function commandsIn(line: string): string[] {
  return line
    .split(/&&|\|\||[;|\n]|&(?!\d)/)
    .map((command) => command.trim())
    .filter(Boolean)
}

/**
 * The port of the server that the line runs: that of the command with `program` in it, else of the last one, which is the one
 * that stays.
 */
export function serverPort(line: string, program?: string): number | undefined {
  const commands = commandsIn(line).filter((command) => !others.test(programOf(command)))
  const own = program === undefined ? undefined : commands.find((command) => words(command).includes(program))
  const command = own ?? commands.at(-1) ?? ''
  const flag = portFlag.test(programOf(command)) || own !== undefined ? '--port|-p' : '--port'
  const patterns = [
    new RegExp(`(?:^|\\s)(?:${flag})(?:\\s+|=|(?<=-p))(\\d{1,5})(?![\\w.:])`),
    /(?:^|\s)(?:--listen|-l|--bind|-b|--http|--addr(?:ess)?)[\s=]\S*?:?(\d{2,5})(?![\w.:])/,
    /(?:^|\s)PORT=(\d{1,5})(?!\w)/,
    // `manage.py runserver 0.0.0.0:8000`, `php -S localhost:8000`
    /\s(?:runserver|-S)\s+(?:[\d.]+|\[[\da-f:]*\]|localhost)?:?(\d{2,5})(?![\w.:])/,
  ]
  const found = patterns.map((pattern) => Number(pattern.exec(command)?.[1])).find((port) => port > 0 && port <= 65_535)
  return found
}

function words(command: string): string[] {
  return command.split(/[\s"']+/).map((word) => word.replace(/^.*\//, ''))
}

function programOf(command: string): string {
  return words(command).find((word) => word !== '' && !launchers.test(word)) ?? ''
}
