import type { Config } from '../config.ts'
import { type Access, accessOf, type Principal, principals } from '../parts/access.ts'
import { kafkaOf } from '../parts/kafka.ts'

/** One call of Kafka's own tool: what one principal may do with some topics or groups. */
export interface AclGrant {
  readonly principal: string
  readonly operations: readonly string[]
  readonly resource: 'topic' | 'group'
  readonly names: readonly string[]
  /** The name is that which the resources' names begin with. */
  readonly prefixed: boolean
}

/** What stands for a service's name in a pattern of principals. */
export const servicePlace = '{service}'

/**
 * Everything that each principal needs and nothing more, so that each log has one writer.
 *
 * @param pattern of the principals' names, such as `User:interlock-{service}`
 */
export function aclGrants(config: Config, pattern: string, events: readonly string[]): readonly AclGrant[] {
  const { prefix } = kafkaOf(config)
  return principals.flatMap((service) => grantsOf(service, pattern.replace(servicePlace, service), prefix, events))
}

function grantsOf(
  service: Principal,
  principal: string,
  prefix: string,
  events: readonly string[],
): readonly AclGrant[] {
  const { reads, writes, groups }: Access = accessOf(service, events)
  const named = (topics: readonly string[]) =>
    topics.map((topic) => (events.includes(topic) ? topic : prefix + topic)).toSorted()
  const grant = (operations: readonly string[], names: readonly string[], prefixed = false): AclGrant[] =>
    names.length === 0 ? [] : [{ principal, operations, resource: 'topic', names, prefixed }]
  // Everybody may know which topics there are, and with what partitions and settings.
  const own = ['Describe', 'DescribeConfigs', ...(service === 'operator' ? ['Create'] : [])]
  return [
    ...(prefix === '' ? grant(own, named(allTopics)) : grant(own, [prefix], true)),
    ...grant(service === 'operator' ? ['Describe', 'Create'] : ['Describe'], events),
    ...grant(['Read'], named(reads)),
    ...grant(['Write'], named(writes)),
    ...groups.map((group): AclGrant => {
      return { principal, operations: ['Read'], resource: 'group', names: [prefix + group], prefixed: false }
    }),
  ]
}

const allTopics = [...new Set(principals.flatMap((one) => [...accessOf(one, []).reads, ...accessOf(one, []).writes]))]

/** The call, as one types it. */
export function aclCommand({ principal, operations, resource, names, prefixed }: AclGrant, broker: string): string {
  return [
    `kafka-acls.sh --bootstrap-server ${broker} --add --allow-principal ${principal}`,
    ...operations.map((operation) => `--operation ${operation}`),
    ...names.map((name) => `--${resource} ${name}`),
    ...(prefixed ? ['--resource-pattern-type prefixed'] : []),
  ].join(' ')
}
