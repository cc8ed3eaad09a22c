#!/usr/bin/env node
const { actAsInvokingUser, askEarly, keepCompiledCode, nodeProblem } = await import('../dist/terminal/first.js')
const problem = nodeProblem(process.versions.node, process.platform)
if (problem) {
  process.stderr.write(`Error: ${problem.message}\n\nTry this:\n  ${problem.command}\n`)
  process.exit(1)
}
// Then a stack names the source; reading the maps costs more than most commands do.
if (process.env.DEBUG || process.argv.includes('--verbose')) process.setSourceMapsEnabled(true)
actAsInvokingUser()
keepCompiledCode()
const [command, ...words] = process.argv.slice(2)
if (command === '__complete') {
  // A shell at each press of TAB: see src/completion.
  const { answer } = await import('../dist/completion/answer.js')
  process.stdout.write(await answer(words))
  process.exit()
}
// The supervisor looks around while a command is loaded that is going to show it.
const early = await askEarly([command, ...words])
// oclif would load a library to look at the version of Node once more.
process.env.OCLIF_DISABLE_ENGINE_WARNING = '1'
const { runCli } = await import('../dist/terminal/run-cli.js')
process.exit(await runCli(process.argv.slice(2), import.meta.url, early))
