// Test projects: `unit` needs nothing; the others need a container engine and Caddy (scripts/test brings both). They run one after
// the other, and the files of `unit` and `integration` beside each other: each has a home, a proxy and names of its own.
import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'
import { SlowestFirst } from './test/helpers/slowest-first.js'

// A test that gives moat no home of its own fails: none writes into the user's.
process.env.MOAT_HOME = '/dev/null/moat'

/** They wait for engines and for each other's deadlines more than they compute. */
const workers = availableParallelism() + 1

/**
 * Files that want the machine to themselves: they put it under load, measure it, count on what ends within a fifth of a second, wait
 * for a compiler, or change what all of a machine's agents share: built images, and the stores of trusted certificates.
 */
const alone = [
  'test/integration/authority/trust.test.ts',
  'test/integration/completion/shells.test.ts',
  'test/integration/doors/churn.test.ts',
  'test/integration/forwarder/doors.test.ts',
  'test/integration/frameworks/next.test.ts',
  'test/integration/gate/killed.test.ts',
  'test/integration/images/*.test.ts',
  'test/integration/pages/neighbours.test.ts',
  'test/integration/run/ended-at-once.test.ts',
  'test/integration/run/lifecycle.test.ts',
  'test/integration/run/user-and-stdin.test.ts',
  'test/integration/worktrees/clean.test.ts',
]
/** Of those, the ones that are in nobody's way but that of many: two may run beside each other. */
const paired = [
  'test/integration/authority/trust.test.ts',
  'test/integration/completion/shells.test.ts',
  'test/integration/forwarder/doors.test.ts',
  'test/integration/frameworks/next.test.ts',
  'test/integration/run/lifecycle.test.ts',
  'test/integration/worktrees/clean.test.ts',
]
/**
 * Files that run with a Caddy that has layer4, which scripts/test builds before: those about it, and of those that run with Debian's as
 * well, what would notice a front that is wrong: certificates, the dashboard, own URLs, and what goes wrong only now and then.
 */
const withLayer4 = {
  only: ['test/integration/layer4/*.test.ts'],
  too: [
    'test/integration/authority/{after-sleep,rotate}.test.ts',
    'test/integration/pages/index.test.ts',
    'test/integration/run/own-urls.test.ts',
    'test/integration/soak/{descriptors,kills}.test.ts',
  ],
}
const layer4 = { maxWorkers: workers, sequence: { groupOrder: 4 }, setupFiles: ['test/helpers/with-layer4.ts'] }
/** The packed moat, installed elsewhere, for which it wants time. */
const packed = { globalSetup: ['test/helpers/packed-moat.ts'], hookTimeout: 180_000, testTimeout: 120_000 }
const patient = { hookTimeout: 60_000, testTimeout: 60_000 }
/** Only for `./scripts/test --examples`: each fetches a framework and has it build, for minutes. */
const examples = {
  test: {
    fileParallelism: false,
    hookTimeout: 300_000,
    include: ['test/examples/*.test.ts'],
    name: 'examples',
    sequence: { groupOrder: 6 },
    testTimeout: 300_000,
  },
}

export default defineConfig({
  test: {
    sequence: { sequencer: SlowestFirst },
    projects: [
      ...(process.env.MOAT_EXAMPLES === '1' ? [examples] : []),
      {
        test: {
          include: ['test/unit/**/*.test.ts'],
          // One process runs many files: loading the same modules again for each took a third of the time.
          isolate: false,
          maxWorkers: workers,
          name: 'unit',
          sequence: { groupOrder: 0 },
          setupFiles: ['test/helpers/as-found.ts'],
          testTimeout: 30_000,
          typecheck: { enabled: false },
        },
      },
      {
        test: {
          ...patient,
          exclude: [...alone, ...withLayer4.only],
          include: ['test/integration/**/*.test.ts'],
          maxWorkers: workers + 1,
          name: 'integration',
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: { ...patient, include: paired, maxWorkers: 2, name: 'paired', sequence: { groupOrder: 2 } },
      },
      {
        test: {
          ...patient,
          exclude: paired,
          fileParallelism: false,
          include: alone,
          name: 'alone',
          sequence: { groupOrder: 3 },
        },
      },
      { test: { ...patient, ...layer4, include: [...withLayer4.only, ...withLayer4.too], name: 'layer4' } },
      {
        test: {
          ...packed,
          ...layer4,
          // In the one no proxy runs; what the other is about is npm, and plugin-guide.test.ts has a plugin's endpoint there.
          exclude: ['test/e2e/plugin-problems.test.ts', 'test/e2e/plugins.test.ts'],
          include: ['test/e2e/*.test.ts'],
          name: 'e2e-layer4',
        },
      },
      {
        // After the one with layer4, not beside it: there is one port 443.
        test: {
          ...packed,
          include: ['test/e2e/*.test.ts'],
          maxWorkers: 2,
          name: 'e2e',
          sequence: { groupOrder: 5 },
        },
      },
    ],
  },
})
