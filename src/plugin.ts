// Owns what `moat-cli/plugin` exports: the contract for packages that add endpoint types, providers of grants and coding agents.
// docs/guides/writing-a-plugin.md shows its use. Types are all a plugin needs from here, so that it runs without moat-cli beside it.
export type {
  AgentGoneHook,
  AgentGoneOptions,
  AgentProgramsHook,
  DeclaredEndpoint,
  EndpointRegistration,
  EndpointType,
  EndpointTypesHook,
  GrantProvidersHook,
  LateEndpointType,
  MoatHooks,
  OptionIssue,
  OptionsSchema,
  PublishedPort,
  RegisterEndpointsHook,
  RegisterEndpointsOptions,
} from './endpoints/contract.js'
export {
  agentGoneHook,
  agentProgramsHook,
  endpointTypesHook,
  grantProvidersHook,
  registerEndpointsHook,
} from './endpoints/contract.js'
export type { GrantProvider, ProviderContainer, ProviderRule } from './grants/provider.js'
export type { AgentHostLogin, AgentProgram, AgentSeed, AgentStart, AgentState } from './programs/contract.js'
export type { CaddyRoute, EndpointLink, NamedPort, Readiness, ServedFiles, UpstreamProtocol } from './routing/agent.js'
