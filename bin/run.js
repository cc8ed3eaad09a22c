#!/usr/bin/env node
import { runCli } from '../dist/terminal/run-cli.js'

process.exit(await runCli(process.argv.slice(2), import.meta.url))
