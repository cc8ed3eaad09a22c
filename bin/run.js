#!/usr/bin/env node
const [command, ...words] = process.argv.slice(2)
if (command === '__complete') {
  // A shell at each press of TAB: see src/completion.
  const { answer } = await import('../dist/completion/answer.js')
  process.stdout.write(await answer(words))
  process.exit()
}
const { runCli } = await import('../dist/terminal/run-cli.js')
process.exit(await runCli(process.argv.slice(2), import.meta.url))
