import { Errors } from '@oclif/core'
import { describe, expect, it } from 'vitest'
import { MoatError } from '../../../src/errors.js'
import { explainPluginError } from '../../../src/plugins/explain-error.js'

describe('explainPluginError', () => {
  it.each([
    [
      ['plugins', 'install', 'nope'],
      new Errors.CLIError('nope does not exist in the registry.'),
      'npm cannot find the package nope: it does not exist, or the registry cannot be reached.',
      ['npm view nope', 'moat plugins install ./<file>.tgz', 'moat plugins link <directory>'],
    ],
    [
      ['plugins', 'install', '--force', 'nope'],
      new Errors.CLIError('/usr/bin/node /npm-cli.js install nope exited with code 1'),
      'npm failed; its output is above. Nothing was installed or removed.',
      ['moat plugins install nope'],
    ],
    [['plugins:inspect', 'nope'], new Error('nope not installed'), 'There is no plugin nope.', ['moat plugins']],
    [
      ['plugins', 'uninstall', 'nope'],
      new Errors.CLIError('nope is not installed'),
      'There is no plugin nope.',
      ['moat plugins'],
    ],
    [
      ['plugins', 'link', './here'],
      new Errors.CLIError('plugin is invalid'),
      './here is not a plugin: its package.json has no "oclif" section.',
      ['add "oclif": {"hooks": {…}} or {"commands": "./commands"} to its package.json'],
    ],
    [['plugins', 'reset'], new Error('boom'), 'boom', ['moat plugins']],
  ])('%j', (argv, error, message, suggestions) => {
    const explained = explainPluginError(error, argv)
    expect(explained).toBeInstanceOf(MoatError)
    expect(explained).toMatchObject({ cause: error, code: 'PLUGIN_FAILED', message, suggestions })
  })

  it('leaves what is explained already', () => {
    const error = new Errors.CLIError('Missing 1 required arg')
    expect(explainPluginError(error, ['plugins', 'install'])).toBe(error)
  })
})
