// moat in a process that stays: it runs one command after the other, each as if it were the only one. Started by kept-moat.ts, with the
// path of the checkout.
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

const [, , checkout] = process.argv
const program = resolve(checkout, 'bin/run.js')
const load = (module) => import(pathToFileURL(resolve(checkout, 'dist', module)).href)
const output = { stderr: '', stdout: '' }

for (const name of ['stderr', 'stdout']) {
  const stream = process[name]
  // Each command adds its own.
  stream.setMaxListeners(0)
  stream.write = (chunk, encoding, done) => {
    output[name] += typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString()
    const written = typeof encoding === 'function' ? encoding : done
    if (written) process.nextTick(written)
    return true
  }
}

// What a command has left running ends with its process, and nobody hears of it; here it is shown with the output of the next one.
for (const event of ['uncaughtException', 'unhandledRejection'])
  process.on(event, (error) => {
    output.stderr += `Left by a command: ${error?.stack ?? error}\n`
  })

// As bin/run.js does.
const { actAsInvokingUser } = await load('terminal/first.js')
actAsInvokingUser()
const { runCli } = await load('terminal/run-cli.js')

process.on('message', async ({ args, cwd, env }) => {
  for (const name of Object.keys(process.env)) if (!(name in env)) delete process.env[name]
  Object.assign(process.env, env, { OCLIF_DISABLE_ENGINE_WARNING: '1' })
  process.chdir(cwd)
  process.exitCode = undefined
  process.argv = [process.execPath, program, ...args]
  const code = await runCli(args, pathToFileURL(program).href)
  process.removeAllListeners('warning')
  for (const stream of [process.stderr, process.stdout]) stream.removeAllListeners('error')
  process.send({ code, ...output })
  Object.assign(output, { stderr: '', stdout: '' })
})
process.once('disconnect', () => process.exit())
