// Owns that a rule is added to moat.yaml where it belongs, and that the rest of the file stays as somebody wrote it.
import { describe, expect, it } from 'vitest'
import { addNetworkRule, type RuleItem } from '../../../src/config/add-network-rule.js'

const paths: RuleItem = { 'a.test': ['deny POST /x', 'allow * /**'] }

describe('a rule', () => {
  it.each<[string, string, RuleItem, string]>([
    [
      'before others',
      'network:\n  # why\n  rules:\n    # first\n    - b.test # b\n',
      'a.test',
      'network:\n  # why\n  rules:\n    # first\n    - a.test\n    - b.test # b\n',
    ],
    [
      'in a list that is not indented',
      'network:\n  rules:\n  - b.test\nname: x\n',
      'a.test',
      'network:\n  rules:\n  - a.test\n  - b.test\nname: x\n',
    ],
    [
      'in a list on one line',
      'network: {policy: strict, rules: [b.test]}\n',
      { deny: '*.a.test' },
      'network: {policy: strict, rules: [{deny: "*.a.test"}, b.test]}\n',
    ],
    ['in an empty list', 'network:\n  rules: []\n', { preset: 'npm' }, 'network:\n  rules: [{preset: npm}]\n'],
    [
      'where there are no rules',
      'network:\n  policy: strict # !\n  peers: [b]\n',
      paths,
      'network:\n  rules:\n    - a.test: ["deny POST /x", "allow * /**"]\n  policy: strict # !\n  peers: [b]\n',
    ],
    [
      'where rules are empty',
      'network:\n  rules: # none\nname: x\n',
      'a.test:5432',
      'network:\n  rules: # none\n    - "a.test:5432"\nname: x\n',
    ],
    [
      'where there is nothing about the network',
      'name: x # x\n\n# end',
      'a.test',
      'name: x # x\n\n# end\nnetwork:\n  rules:\n    - a.test\n',
    ],
    ['where the network is empty', 'network:\nname: x\n', 'a.test', 'network:\n  rules:\n    - a.test\nname: x\n'],
    ['where all is on one line', '{name: x}', 'a.test', '{network: {rules: [a.test]}, name: x}'],
    [
      'in a file with CRLF',
      'name: x\r\nnetwork:\r\n  rules:\r\n    - b.test\r\n',
      '10.0.0.1',
      'name: x\r\nnetwork:\r\n  rules:\r\n    - "10.0.0.1"\n    - b.test\r\n',
    ],
  ])('%s', (_, text, item, expected) => {
    expect(addNetworkRule(text, item)).toBe(expected)
  })

  it.each([
    ['rules that are an alias', 'x: &x [b.test]\nnetwork: {rules: *x}\n'],
    ['an end of the document', 'name: x\n...\n'],
    ['a file that is no YAML mapping', '- a\n'],
    ['duplicate keys', 'network: {rules: []}\nnetwork: {rules: []}\n'],
    ['an empty file', ''],
  ])('is not added to %s', (_, text) => {
    expect(addNetworkRule(text, 'a.test')).toBeUndefined()
  })
})

describe('a line about paths', () => {
  it.each([
    [
      'on one line',
      'network:\n  rules:\n    - b.test\n    - a.test: ["allow GET /**"]\n',
      'network:\n  rules:\n    - b.test\n    - a.test: ["deny GET /x", "allow GET /**"]\n',
    ],
    [
      'a line each',
      'network:\n  rules:\n    - b.test\n    - a.test:\n        - allow GET /** # all\n',
      'network:\n  rules:\n    - b.test\n    - a.test:\n        - "deny GET /x"\n        - allow GET /** # all\n',
    ],
  ])('goes before those that are there, %s', (_, text, expected) => {
    expect(addNetworkRule(text, { index: 1, key: 'a.test', line: 'deny GET /x' })).toBe(expected)
  })
})
