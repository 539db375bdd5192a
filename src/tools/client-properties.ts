/**
 * What scripts/kafka-tool.sh runs first: looks whether Kafka can be used as the settings describe it, and prints the same
 * description as Kafka's own tools read it. It holds passwords: for a pipe, never for a file that others may read.
 */
import { createPrivateKey } from 'node:crypto';
import type { Config } from '../config/config.ts';
import { kafkaPems } from '../storage/kafka/wire/kafka-security.ts';
import { runTool } from './exit.ts';
import { demandKafka, toolConfig } from './kafka.ts';

async function main(): Promise<number> {
  const config = toolConfig();
  await demandKafka(config);
  for (const [name, value] of Object.entries(propertiesOf(config))) console.log(`${name}=${escaped(value)}`);
  return 0;
}

function propertiesOf(config: Config): Record<string, string> {
  const { sasl } = config.kafka;
  const pems = kafkaPems(config);
  const security = `${sasl ? 'SASL_' : ''}${pems ? 'SSL' : 'PLAINTEXT'}`;
  return {
    'security.protocol': security,
    ...(pems?.ca && { 'ssl.truststore.type': 'PEM', 'ssl.truststore.certificates': pems.ca }),
    ...(pems?.cert &&
      pems.key && {
        'ssl.keystore.type': 'PEM',
        'ssl.keystore.certificate.chain': pems.cert,
        // Java reads this form of keys alone.
        'ssl.keystore.key': createPrivateKey(pems.key).export({ type: 'pkcs8', format: 'pem' }).toString(),
      }),
    ...(sasl && {
      'sasl.mechanism': sasl.mechanism,
      'sasl.jaas.config':
        `org.apache.kafka.common.security.${sasl.mechanism === 'PLAIN' ? 'plain.Plain' : 'scram.Scram'}LoginModule required ` +
        `username=${quoted(sasl.username)} password=${quoted(sasl.password)};`,
    }),
  };
}

function quoted(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}

/** As Java's Properties want it: one line, ASCII. */
function escaped(text: string): string {
  return text
    .replaceAll('\\', '\\\\')
    .replaceAll('\n', '\\n')
    .replace(/[^ -~]/g, (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

await runTool(main);
