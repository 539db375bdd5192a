/** Kafka's operations by their names, with their numbers, which are also their bits in what it answers. */
const NUMBERS = {
  Read: 3,
  Write: 4,
  Create: 5,
  Delete: 6,
  Describe: 8,
  DescribeConfigs: 10,
  AlterConfigs: 11,
} as const;

export type Operation = keyof typeof NUMBERS;
export type ResourceKind = 'topic' | 'group' | 'transactional-id' | 'cluster';

/** Kafka's word for `not told`. */
const NOT_TOLD = -(2 ** 31);

/** Whether Kafka's bits allow an operation; what it does not tell counts as allowed, and is refused when it comes to it. */
export function allows(bits: number, operation: Operation): boolean {
  return bits === NOT_TOLD || (bits & (1 << NUMBERS[operation])) !== 0;
}

/** The bits that allow just these. */
export function bitsOf(operations: readonly Operation[]): number {
  return operations.reduce((bits, operation) => bits | (1 << NUMBERS[operation]), 0);
}

/** The command that grants a right, or several on the same. */
export function aclCommand(
  operations: Operation | readonly Operation[],
  kind: ResourceKind,
  name: string,
  isPrefix: boolean,
  principal: string,
): string {
  const where = kind === 'cluster' ? '--cluster' : `--${kind} '${name}'`;
  const what = [operations].flat().map((operation) => `--operation ${operation}`);
  const pattern = isPrefix ? ' --resource-pattern-type prefixed' : '';
  return `scripts/kafka-tool.sh acls --add --allow-principal '${principal}' ${what.join(' ')} ${where}${pattern}`;
}
