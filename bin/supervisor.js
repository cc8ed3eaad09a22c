#!/usr/bin/env node
// The detached process that supervises Caddy. Started by moat itself, never by a person.
import { actAsInvokingUser, keepCompiledCode } from '../dist/terminal/first.js'

actAsInvokingUser()
keepCompiledCode()
const { runSupervisor } = await import('../dist/supervisor/supervisor-process.js')
await runSupervisor(process.argv[2] ?? '{}')
// Whatever handle a library still holds must not keep a supervisor alive that has let go of its lock.
process.exit()
