#!/usr/bin/env node
// The detached process that takes snapshots of a workspace while an agent works there. Started by moat itself, never by a person.
import { actAsInvokingUser, keepCompiledCode } from '../dist/terminal/first.js'

actAsInvokingUser()
keepCompiledCode()
const { runTriggers } = await import('../dist/triggers/trigger-process.js')
await runTriggers(process.argv[2] ?? '{}')
process.exit()
