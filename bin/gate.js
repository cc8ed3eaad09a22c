#!/usr/bin/env node
// The detached process by which agents under a network policy reach the world. Started by the supervisor, never by a person.
import { actAsInvokingUser, keepCompiledCode } from '../dist/terminal/first.js'

actAsInvokingUser()
keepCompiledCode({ MOAT_HOME: process.argv[2] })
const { runGate } = await import('../dist/gate/gate-process.js')
await runGate(process.argv.slice(2))
process.exit()
