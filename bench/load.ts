/**
 * What Milena costs and how fast it is, under load from processes of their own.
 *
 *     node bench/load.ts --phase latency --users 1000
 *
 * Starts a broker and frontends, unless MILENA_KAFKA_BROKERS names a Kafka; `--help` tells the rest.
 */
import { runCommand } from './load/command.ts';

await runCommand(process.argv.slice(2));
