/** A program that starts a broker, says its pid and where it listens, and then does nothing: to be killed by a test. */
import { startBroker } from './broker.ts';
import { JvmBroker } from './jvm-broker.ts';

const broker = await startBroker({ properties: { 'message.max.bytes': '123456' } });
if (!(broker instanceof JvmBroker)) throw new Error('not a JVM broker');
console.log(JSON.stringify({ pid: broker.pid, port: broker.port, folder: broker.folder }));
setInterval(() => {}, 60_000);
