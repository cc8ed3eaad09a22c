// Stores as keytool makes them are read, and what is made here is, byte for byte, what keytool makes.
import { describe, expect, it } from 'vitest'
import { makeJavaStore, readJavaStore } from '../../../src/authority/java-store.js'

/** Made for these tests; the stores by keytool of Java 17, of this one certificate. */
const certificate = `-----BEGIN CERTIFICATE-----
MIIBVjCB/aADAgECAghvCDjivI2ouTAKBggqhkjOPQQDAjAfMR0wGwYDVQQDExRD
b21wYW55IG9mIHRoZSB0ZXN0czAgFw0yNjExMjgyMzE5MjJaGA8yMTI2MTEwNDIz
MTkyMlowHzEdMBsGA1UEAxMUQ29tcGFueSBvZiB0aGUgdGVzdHMwWTATBgcqhkjO
PQIBBggqhkjOPQMBBwNCAAT/8HUCxyNSIt+UFV/9CzE/sn4UQ7gkF98qjsDPT5q6
k3tgi3w/ryzKhmdfUxmeypunPUgw1It6et1RkOp6HqA2oyEwHzAdBgNVHQ4EFgQU
ct+iQoqNkbAOqu5cGAPgVPQysiEwCgYIKoZIzj0EAwIDSAAwRQIhAP5JYBSFdUAy
/F/0/az8rUCpFolpvkvzDMKcF2UHfJbEAiB+GrH92y20f1tWBbLRwAGHsKJxiXk7
vn3ehSl5bxhjHA==
-----END CERTIFICATE-----
`
const stores = {
  jks: '/u3+7QAAAAIAAAABAAAAAgAHY29tcGFueQAAAaIkdNFsAAVYLjUwOQAAAVowggFWMIH9oAMCAQICCG8IOOK8jai5MAoGCCqGSM49BAMCMB8xHTAbBgNVBAMTFENvbXBhbnkgb2YgdGhlIHRlc3RzMCAXDTI2MTEyODIzMTkyMloYDzIxMjYxMTA0MjMxOTIyWjAfMR0wGwYDVQQDExRDb21wYW55IG9mIHRoZSB0ZXN0czBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABP/wdQLHI1Ii35QVX/0LMT+yfhRDuCQX3yqOwM9PmrqTe2CLfD+vLMqGZ19TGZ7Km6c9SDDUi3p63VGQ6noeoDajITAfMB0GA1UdDgQWBBRy36JCio2RsA6q7lwYA+BU9DKyITAKBggqhkjOPQQDAgNIADBFAiEA/klgFIV1QDL8X/T9rPytQKkWiWm+S/MMwpwXZQd8lsQCIH4asf3bLbR/W1YFstHAAYewonGJeTu+fd6FKXlvGGMcsdgFthYSzbgbJCH9qqIgJlWBZPM=',
  /** As the authorities of Java 18 and later are: without a password. */
  pkcs12:
    'MIIB+QIBAzCCAfIGCSqGSIb3DQEHAaCCAeMEggHfMIIB2zCCAdcGCSqGSIb3DQEHAaCCAcgEggHEMIIBwDCCAbwGCyqGSIb3DQEMCgEDoIIBcjCCAW4GCiqGSIb3DQEJFgGgggFeBIIBWjCCAVYwgf2gAwIBAgIIbwg44ryNqLkwCgYIKoZIzj0EAwIwHzEdMBsGA1UEAxMUQ29tcGFueSBvZiB0aGUgdGVzdHMwIBcNMjYxMTI4MjMxOTIyWhgPMjEyNjExMDQyMzE5MjJaMB8xHTAbBgNVBAMTFENvbXBhbnkgb2YgdGhlIHRlc3RzMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE//B1AscjUiLflBVf/QsxP7J+FEO4JBffKo7Az0+aupN7YIt8P68syoZnX1MZnsqbpz1IMNSLenrdUZDqeh6gNqMhMB8wHQYDVR0OBBYEFHLfokKKjZGwDqruXBgD4FT0MrIhMAoGCCqGSM49BAMCA0gAMEUCIQD+SWAUhXVAMvxf9P2s/K1AqRaJab5L8wzCnBdlB3yWxAIgfhqx/dsttH9bVgWy0cABh7CicYl5O7593oUpeW8YYxwxNzAdBgkqhkiG9w0BCRQxEB4OAGMAbwBtAHAAYQBuAHkwFgYMYIZIAYb5Zq3KewEBMQYGBFUdJQA=',
  /** With one. */
  locked:
    'MIIC0gIBAzCCAnwGCSqGSIb3DQEHAaCCAm0EggJpMIICZTCCAmEGCSqGSIb3DQEHBqCCAlIwggJOAgEAMIICRwYJKoZIhvcNAQcBMGYGCSqGSIb3DQEFDTBZMDgGCSqGSIb3DQEFDDArBBTpczPhVrSUU01Z/OIlfiRfVVXlSAICJxACASAwDAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEDnY+47giXR7xfPdlx5vlI+AggHQ9oN2HiLDHLfhwfSa5dzmmgUWrCFBqyzcNWhN16XRiqN8X0i9gU47zXUUUyzkbsZ8xTYFWV9bMEHqiocEf1SBbqMdduzg8nb9PPMm9RpTkOJb/PP4qWB50LdvUmjm6vNvrOnC7jAur9eQwYm8C05IFQtOPv6Aiank8FaPzw1R/+cdRApZkUKEIP0NbD+ctKlOv73Cv6+eyUmN65/P21Q6zrMaGckpg9nKSXRfIMmXFVVVcfk8SsYX4UFbzn50wv6Q/T+7zZteeVoOTN5olhXUq7xDGj3STHNYjvtTojkyC3s6OKJhezdSfplJUnGSccx2RzEXpFrQH0DrtYO7M4hlp1o+Sz+tKYAQ/N19An5f+OZ8J2e5jHt7TpID7EFuhQaWl+6xN9K8oPjaUYPnaZ7TFzRfww1xiGV9nmc+8h1rrln1uo46elsMYj4Mgq9BKlfXY2oaz7ZBxxZIBzCu72iVVAJJxBXeDB+V2xRdgjIrIEiPcMFujpI2l54ZR2g3JVjU9nvb9+bXImGKkh0YfK022SOpiXwPlrB/VMlkkdCCL4DO0HaJChS1wc0ytOddfNCUFev8tpOabn6n+i5E2pTCIGOC+zoGuRIPFE7JP+gKiGUwTTAxMA0GCWCGSAFlAwQCAQUABCD5aapQQV/Kkv9O/A6W7nMcEk4GXVcwGpi1TVI1RSHfqAQUX/lbKTRwJmPB23kGP/YtrcVHNxkCAicQ',
  /** A key with the certificate for its chain. */
  withKey:
    '/u3+7QAAAAIAAAABAAAAAQABYQAAAaIkdXokAAAAfzB9MA4GCisGAQQBKgIRAQEFAARrFKr+Vn1MbVv9ArM9HufblvjwX0g/SQahHFMIPW0mtCtO51jSxx1MA5dAAuI6W/2yDgbdRXlnZXzUyF5HRW2fy97gA1AYVOj/XsuHOgOt7RdGtjZjSkPzfyt8XYOLr6w5eoYLmmOW0Ya2AwAAAAABAAVYLjUwOQAAAVowggFWMIH9oAMCAQICCG8IOOK8jai5MAoGCCqGSM49BAMCMB8xHTAbBgNVBAMTFENvbXBhbnkgb2YgdGhlIHRlc3RzMCAXDTI2MTEyODIzMTkyMloYDzIxMjYxMTA0MjMxOTIyWjAfMR0wGwYDVQQDExRDb21wYW55IG9mIHRoZSB0ZXN0czBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABP/wdQLHI1Ii35QVX/0LMT+yfhRDuCQX3yqOwM9PmrqTe2CLfD+vLMqGZ19TGZ7Km6c9SDDUi3p63VGQ6noeoDajITAfMB0GA1UdDgQWBBRy36JCio2RsA6q7lwYA+BU9DKyITAKBggqhkjOPQQDAgNIADBFAiEA/klgFIV1QDL8X/T9rPytQKkWiWm+S/MMwpwXZQd8lsQCIH4asf3bLbR/W1YFstHAAYewonGJeTu+fd6FKXlvGGMc+d+XNpVa6d+dLpPWcTAt1T54hpQ=',
}
const bytes = (name: keyof typeof stores) => Buffer.from(stores[name], 'base64')

describe('a store of Java', () => {
  it.each(['jks', 'pkcs12'] as const)('of the form %s is read', async (form) => {
    expect(await readJavaStore(bytes(form))).toBe(certificate)
  })

  it('has no authorities for who has no password, and none in the chain of a key', async () => {
    expect(await readJavaStore(bytes('locked'))).toBe('')
    expect(await readJavaStore(bytes('withKey'))).toBe('')
  })

  it('that is cut short, empty or something else is none', async () => {
    for (const form of ['jks', 'pkcs12'] as const) {
      for (let length = 0; length < bytes(form).length - 20; length += 7)
        expect(await readJavaStore(bytes(form).subarray(0, length))).toBe('')
    }
    expect(await readJavaStore(Buffer.from('#!/bin/sh\n'))).toBe('')
    const endless = Buffer.concat([
      bytes('jks').subarray(0, 8),
      Buffer.from('ffffffff', 'hex'),
      bytes('jks').subarray(12),
    ])
    expect(await readJavaStore(endless)).toBe('')
  })

  it('is what keytool makes', () => {
    const made = bytes('jks')
    const at = Number(made.readBigUInt64BE(4 * 4 + 2 + 'company'.length))
    expect(makeJavaStore(certificate, at, () => 'company').equals(made)).toBe(true)
  })

  it('has each certificate of a text once', async () => {
    const store = makeJavaStore(`# one\n${certificate}\n# the same\n${certificate.replaceAll('\n', '\r\n')}`)
    expect(store.readUInt32BE(8)).toBe(1)
    expect(await readJavaStore(store)).toBe(certificate)
    expect(await readJavaStore(makeJavaStore(''))).toBe('')
  })
})
