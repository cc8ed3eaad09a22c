// Owns what moat knows of web frameworks, an entry each: where their development servers listen, and which hosts they refuse.
import { dotted, type HostMatcher, wildcards } from './host-patterns.js'

export interface Framework {
  /** Which hosts its development server takes requests from; left out where that is any host. */
  hosts?: HostCheck
  /** Arguments that it needs in a container: most listen on localhost only. */
  listen?: string[]
  /** Its package. */
  name: string
  port: number
  /** Its command, where that is not called as the package is. */
  program?: string
}

export interface HostCheck {
  /** Its files of configuration, at the top of the project; it reads the first that is there. */
  configs: string[]
  /** Tells the command that starts the development server: what is built checks nothing. */
  dev: RegExp
  /** How it reads a pattern of hosts. */
  matches: HostMatcher
  /** The pattern that takes a host and those below it, as narrow as the framework allows. */
  patterns: (host: string) => string[]
  /** What versions do, each from `since` on; the last that applies counts. */
  rules: HostRule[]
  /** The key in its configuration that takes more hosts. */
  setting: string
  title: string
  /** The version from which it reads a variable, which agents have: data/behind-proxy.yaml. */
  toldSince?: string
  /** The setting, as it is written in the configuration. */
  written: (list: string) => string
}

export interface HostRule {
  /** False where it refuses hosts only in a project that has the setting. */
  always: boolean
  since: string
  /** Patterns it takes by itself. `**`: everything. */
  takes: string[]
}

/** From the sources of the versions named, each as it is on npm's registry. */
const nextHosts: HostCheck = {
  configs: ['next.config.js', 'next.config.mjs', 'next.config.ts', 'next.config.mts'],
  dev: /\bnext(?:[ \t]+dev\b|[ \t]+-|[ \t]*$)/m,
  matches: wildcards,
  patterns: (host) => [`*.${host}`],
  rules: [
    { always: false, since: '0', takes: ['localhost', '*.localhost'] },
    { always: true, since: '16.2.0', takes: ['localhost', '*.localhost'] },
    { always: true, since: '16.3.0', takes: ['localhost', '**.localhost'] },
  ],
  setting: 'allowedDevOrigins',
  title: 'Next.js',
  written: (list) => `allowedDevOrigins: ${list}`,
}

const viteHosts: HostCheck = {
  configs: ['js', 'mjs', 'ts', 'cjs', 'mts', 'cts'].map((end) => `vite.config.${end}`),
  dev: /\bvite(?:[ \t]+(?:dev|serve)\b|[ \t]+-|[ \t]*$)/m,
  matches: dotted,
  patterns: (host) => [`.${host}`],
  rules: [
    { always: true, since: '5.4.12', takes: ['.localhost'] },
    { always: false, since: '6.0.0', takes: ['.localhost'] },
    { always: true, since: '6.0.9', takes: ['.localhost'] },
  ],
  setting: 'allowedHosts',
  title: 'Vite',
  toldSince: '6.1.0',
  written: (list) => `server: { allowedHosts: ${list} }`,
}

/** A framework before what it is built with: a Nuxt project depends on Vite too. */
export const frameworks: Framework[] = [
  { hosts: nextHosts, name: 'next', port: 3000 },
  { listen: ['--host'], name: 'nuxt', port: 3000 },
  // The process that its lock names is gone with its container, and the next one has another by that number.
  { listen: ['--host', '--ignore-lock'], name: 'astro', port: 4321 },
  { listen: ['--host', '0.0.0.0'], name: 'gatsby', port: 8000 },
  { listen: ['--host', '0.0.0.0'], name: '@angular/cli', port: 4200, program: 'ng' },
  { name: 'react-scripts', port: 3000 },
  { listen: ['--host', '0.0.0.0'], name: '@vue/cli-service', port: 8080, program: 'vue-cli-service' },
  { hosts: viteHosts, listen: ['--host'], name: 'vite', port: 5173 },
  { name: 'fastify', port: 3000 },
  { name: 'express', port: 3000 },
]
