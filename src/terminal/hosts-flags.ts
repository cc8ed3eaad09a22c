// Owns the flags that the commands for the hosts file share.
import { Flags } from '@oclif/core'

export const hostsFlags = {
  file: Flags.string({ default: '/etc/hosts', description: 'The hosts file' }),
  print: Flags.boolean({ description: 'Only print what the file would contain', exclusive: ['yes'] }),
  yes: Flags.boolean({ char: 'y', description: 'Do not ask' }),
}
